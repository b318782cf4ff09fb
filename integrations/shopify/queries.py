"""The GraphQL documents that Hemi sends, valid for the 2026-10 schema without a deprecated field."""

SHOP = """
query HemiShop {
  shop { id myshopifyDomain }
}
"""

INSTALLATION = """
query HemiInstallation {
  shop { id myshopifyDomain }
  currentAppInstallation { accessScopes { handle } }
}
"""

# Locations of fulfilment services are only listed with includeLegacy.
LOCATIONS = """
query HemiLocations($after: String) {
  locations(first: 50, after: $after, includeInactive: true, includeLegacy: true) {
    nodes { legacyResourceId name isActive address { formatted } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

COLLECTIONS = """
query HemiCollections($after: String) {
  collections(first: 100, after: $after, sortKey: ID) {
    nodes {
      legacyResourceId handle title updatedAt
      productsCount { count precision }
      sources { __typename ... on CollectionConditionsSource { inclusion { conditions { __typename } } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

WEBHOOKS = """
query HemiWebhooks($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    nodes { id topic uri format filter includeFields metafieldNamespaces apiVersion { handle } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SUBSCRIBE = """
mutation HemiSubscribe($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri, format: JSON}) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""

MEND_SUBSCRIPTION = """
mutation HemiMendSubscription($id: ID!, $uri: String!) {
  webhookSubscriptionUpdate(
    id: $id
    webhookSubscription: {uri: $uri, format: JSON, filter: "", includeFields: [], metafieldNamespaces: []}
  ) {
    webhookSubscription { id }
    userErrors { field message }
  }
}
"""

UNSUBSCRIBE = """
mutation HemiUnsubscribe($id: ID!) {
  webhookSubscriptionDelete(id: $id) {
    deletedWebhookSubscriptionId
    userErrors { field message }
  }
}
"""

FULFILMENT_ORDER = """
query HemiFulfilmentOrder($id: ID!) {
  fulfillmentOrder(id: $id) { orderId }
}
"""
