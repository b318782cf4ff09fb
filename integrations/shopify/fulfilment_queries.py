"""The documents about fulfilments, valid for the 2026-10 schema without a deprecated field.

A page asks for about 600 points: Shopify refuses a query whose full pages would cost more than 1,000.
"""

FULFILMENT_ORDERS = """
query HemiFulfilmentOrders($id: ID!, $after: String) {
  order(id: $id) {
    cancelledAt
    fulfillmentOrders(first: 8, after: $after) {
      nodes {
        id status
        supportedActions { action }
        fulfillmentHolds { displayReason }
        assignedLocation { name location { id } }
        lineItems(first: 30) {
          nodes { id remainingQuantity lineItem { id } }
          pageInfo { hasNextPage endCursor }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

FULFILMENT_ORDER_LINES = """
query HemiFulfilmentOrderLines($id: ID!, $after: String) {
  fulfillmentOrder(id: $id) {
    lineItems(first: 200, after: $after) {
      nodes { id remainingQuantity lineItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

# A plain list without a cursor: an order with more fulfilments than that is not in sight to its end.
FULFILMENTS = """
query HemiFulfilments($id: ID!) {
  order(id: $id) {
    fulfillments(first: 100) { legacyResourceId name status createdAt trackingInfo { number } }
  }
}
"""

FULFILMENT_LINES = """
query HemiFulfilmentLines($id: ID!, $after: String) {
  fulfillment(id: $id) {
    fulfillmentLineItems(first: 200, after: $after) {
      nodes { quantity lineItem { id } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

FULFIL = """
mutation HemiFulfil($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) {
    fulfillment { legacyResourceId }
    userErrors { field message }
  }
}
"""

FOLLOW = """
mutation HemiFollow($id: ID!, $tracking: FulfillmentTrackingInput!, $notifyCustomer: Boolean!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $tracking, notifyCustomer: $notifyCustomer) {
    fulfillment { legacyResourceId }
    userErrors { field message }
  }
}
"""
