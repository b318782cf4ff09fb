

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0006_shopline_app_proxy'),
        ('orders', '0004_shipments'),
    ]

    operations = [
        migrations.CreateModel(
            name='LookupCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64, unique=True)),
                ('count', models.PositiveIntegerField(default=0)),
                ('ends_at', models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name='LookupTicket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('kind', models.CharField(choices=[('ask', 'May ask once'), ('see', 'May see what was found')], max_length=10)),
                ('customer_id', models.CharField(blank=True, default='', max_length=100)),
                ('return_path', models.CharField(blank=True, default='', max_length=500)),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('used_at', models.DateTimeField(blank=True, null=True)),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orders.order')),
                ('shopline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.accountshopline')),
            ],
        ),
        migrations.CreateModel(
            name='ShopperLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('customer_id', models.CharField(max_length=100, verbose_name="SHOPLINE's customer id")),
                ('email', models.CharField(help_text='In lower case.', max_length=320, verbose_name='email')),
                ('shopify_customer_id', models.BigIntegerField(blank=True, null=True, verbose_name="Shopify's customer id")),
                ('source', models.CharField(choices=[('order', "Told an order's number and e-mail"), ('staff', 'Imported by staff')], max_length=10, verbose_name='linked by')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='linked')),
                ('account', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.accountshopify', verbose_name='Account Shopify')),
                ('shopline', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.accountshopline', verbose_name='Account SHOPLINE')),
            ],
            options={
                'verbose_name': 'linked shopper',
                'ordering': ['-pk'],
                'indexes': [models.Index(fields=['email'], name='shopper_email')],
                'constraints': [models.UniqueConstraint(fields=('shopline', 'customer_id', 'email'), name='shopper_linked_once_per_email')],
            },
        ),
    ]
