"""Signed requests that Hemi refused, kept for the signature bench."""

from django.db import models
from django.utils import timezone

from integrations.models.accounts_shopline import AccountShopline
from integrations.models.integrations import Integration


class RefusedRequest(models.Model):
    """One refused request without its secrets: of a signature only its first characters are kept, of a body nothing.

    `query` is the raw query string, the values of secrets (`code`, `state`, ...) and what may be personal replaced by
    asterisks; of a webhook it lists what its headers said. `finding` was found while the whole request was there.
    """

    class Kind(models.TextChoices):
        SHOPLINE_PROXY = "shopline_proxy", "SHOPLINE App Proxy"
        SHOPIFY_QUERY = "shopify_query", "Shopify install or callback"
        SHOPIFY_WEBHOOK = "shopify_webhook", "Shopify webhook"
        SHOPIFY_PROXY = "shopify_proxy", "Shopify app proxy"

    kind = models.CharField("what it was", max_length=20, choices=Kind)
    shopline = models.ForeignKey(
        AccountShopline, models.CASCADE, null=True, blank=True, related_name="+", verbose_name="Account SHOPLINE"
    )
    integration = models.ForeignKey(
        Integration, models.CASCADE, null=True, blank=True, related_name="+", verbose_name="Integration"
    )
    method = models.CharField("method", max_length=10)
    path = models.CharField("path", max_length=500)
    query = models.TextField("query", blank=True, default="")
    rule = models.CharField("refused for", max_length=40)
    finding = models.CharField("what was found", max_length=500, blank=True, default="")
    at = models.DateTimeField("when", default=timezone.now)

    class Meta:
        verbose_name = "refused request"
        ordering = ["-pk"]
        default_permissions = ()
        permissions = [("use_signature_bench", "Can use the signature bench")]
        indexes = [models.Index(fields=["kind", "-id"], name="refused_by_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.shown_rule}"

    @property
    def shown_rule(self) -> str:
        """The rule in words."""
        return self.rule.replace("_", " ")
