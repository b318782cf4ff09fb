

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import hemi.lib.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0005_alerts_over'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AccountShopline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('merchant_id', models.CharField(help_text="SHOPLINE's id of the store.", max_length=100, unique=True, validators=[django.core.validators.RegexValidator('\\A[A-Za-z0-9_-]+\\Z', 'Letters, digits, - and _ only.')], verbose_name='merchant id')),
                ('shop_name', models.CharField(help_text='As shoppers read it on the pages.', max_length=200, verbose_name='Name of the shop')),
                ('brand_colour', models.CharField(default='#1f6feb', help_text='Such as #1f6feb.', max_length=7, validators=[django.core.validators.RegexValidator('\\A#[0-9A-Fa-f]{6}\\Z', 'A colour such as #1f6feb: # and six digits.')], verbose_name='colour of the shop')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('proxy_enabled', models.BooleanField(default=False, help_text='Off: shoppers get “not found”; the development path works for preview.', verbose_name='enabled')),
                ('plays_storefront', models.BooleanField(default=False, help_text="Hemi itself signs and forwards the shop's requests, and makes the secret. Off: SHOPLINE does.", verbose_name='Hemi plays the storefront side')),
                ('passes_posts', models.BooleanField(default=True, help_text='Off where only page views (GET) reach Hemi: forms are then sent to Hemi directly, once each.', verbose_name='forms pass the proxy')),
                ('app_proxy_secret', hemi.lib.fields.EncryptedTextField(blank=True, default='', help_text="From SHOPLINE's Dev Center, App proxy.", verbose_name='App Proxy Secret')),
                ('previous_app_proxy_secret', hemi.lib.fields.EncryptedTextField(blank=True, default='', editable=False)),
                ('previous_secret_until', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='old secret accepted until')),
                ('secret_changed_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='secret since')),
                ('subpath_prefix', models.CharField(choices=[('a', 'a'), ('apps', 'apps'), ('community', 'community'), ('tools', 'tools')], default='apps', max_length=20, verbose_name='subpath prefix')),
                ('app_id', models.CharField(blank=True, default='', max_length=100, validators=[django.core.validators.RegexValidator('\\A[A-Za-z0-9_-]+\\Z', 'Letters, digits, - and _ only.')], verbose_name='app id')),
                ('seo_slug', models.CharField(blank=True, default='', help_text='The subpath of the release version. Blank: the app id.', max_length=100, validators=[django.core.validators.RegexValidator('\\A[A-Za-z0-9_-]+\\Z', 'Letters, digits, - and _ only.')], verbose_name='SEO slug')),
                ('proxy_url', models.URLField(blank=True, default='', help_text="Where requests go. Blank: Hemi's own pages.", max_length=500, verbose_name='Proxy URL')),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('submitted', 'Submitted for approval'), ('approved', 'Approved'), ('rejected', 'Rejected')], default='draft', editable=False, max_length=10, verbose_name='state')),
                ('state_reason', models.CharField(blank=True, default='', editable=False, max_length=500, verbose_name='reason')),
                ('submitted_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='submitted')),
                ('decided_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='decided')),
                ('live_prefix', models.CharField(blank=True, default='', editable=False, max_length=20, verbose_name='prefix in force')),
                ('live_subpath', models.CharField(blank=True, default='', editable=False, max_length=100, verbose_name='subpath in force')),
                ('live_proxy_url', models.URLField(blank=True, default='', editable=False, max_length=500, verbose_name='Proxy URL in force')),
                ('client', models.ForeignKey(help_text="Shoppers of this store see orders of this client's Shopify accounts, and of no other's.", on_delete=django.db.models.deletion.PROTECT, related_name='shopline_accounts', to='integrations.client', verbose_name='client')),
                ('decided_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submitted_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'Account SHOPLINE',
                'verbose_name_plural': 'Accounts SHOPLINE',
                'ordering': ['shop_name'],
                'permissions': [('revoke_accountshopline', 'Can make and revoke App Proxy secrets'), ('approve_accountshopline', 'Can approve and reject App Proxy settings'), ('preview_accountshopline', 'Can make preview links of storefront pages')],
            },
        ),
        migrations.CreateModel(
            name='RefusedRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('shopline_proxy', 'SHOPLINE App Proxy'), ('shopify_query', 'Shopify install or callback'), ('shopify_webhook', 'Shopify webhook')], max_length=20, verbose_name='what it was')),
                ('method', models.CharField(max_length=10, verbose_name='method')),
                ('path', models.CharField(max_length=500, verbose_name='path')),
                ('query', models.TextField(blank=True, default='', verbose_name='query')),
                ('rule', models.CharField(max_length=40, verbose_name='refused for')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='when')),
                ('integration', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.integration', verbose_name='Integration')),
                ('shopline', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.accountshopline', verbose_name='Account SHOPLINE')),
            ],
            options={
                'verbose_name': 'refused request',
                'ordering': ['-pk'],
                'indexes': [models.Index(fields=['kind', '-id'], name='refused_by_kind')],
            },
        ),
        migrations.CreateModel(
            name='UsedSignature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('signature', models.CharField(max_length=64)),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.accountshopline')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('account', 'signature'), name='signature_used_once')],
            },
        ),
    ]
