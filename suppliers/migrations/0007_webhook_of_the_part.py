from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('suppliers', '0006_restorations'),
    ]

    operations = [
        migrations.AddField(
            model_name='supplierorder',
            name='webhook_event',
            field=models.BigIntegerField(blank=True, editable=False, null=True, verbose_name='the webhook that it follows from'),
        ),
    ]
