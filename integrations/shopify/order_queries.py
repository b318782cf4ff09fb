"""The documents that read orders, valid for the 2026-10 schema without a deprecated field.

Pages are small where rows are dear: Shopify refuses a query whose full pages would cost more than 1,000 points, and a
page of changed orders asks for about 650. What does not fit on it is read order by order.
"""

_FRAGMENTS = """
fragment HemiOrderFields on Order {
  legacyResourceId name sourceName createdAt updatedAt test cancelledAt
  displayFinancialStatus displayFulfillmentStatus currencyCode taxesIncluded email phone note
  totalPriceSet { shopMoney { amount } }
  totalTaxSet { shopMoney { amount } }
  totalDiscountsSet { shopMoney { amount } }
  totalShippingPriceSet { shopMoney { amount } }
  customer {
    legacyResourceId firstName lastName
    defaultEmailAddress { emailAddress }
    defaultPhoneNumber { phoneNumber }
  }
  shippingAddress { ...HemiAddress }
  billingAddress { ...HemiAddress }
}
fragment HemiAddress on MailingAddress {
  name firstName lastName company address1 address2 city zip province provinceCode country countryCodeV2 phone
}
fragment HemiLine on LineItem {
  id sku title name variantTitle vendor quantity currentQuantity unfulfilledQuantity requiresShipping isGiftCard
  product { legacyResourceId productType }
  variant { legacyResourceId }
  originalUnitPriceSet { shopMoney { amount } }
  totalDiscountSet { shopMoney { amount } }
  discountAllocations { allocatedAmountSet { shopMoney { amount } } }
  taxLines { priceSet { shopMoney { amount } } }
  customAttributes { key value }
}
"""

ORDER = f"""
query HemiOrder($id: ID!, $after: String) {{
  order(id: $id) {{
    ...HemiOrderFields
    shippingLines(first: 20) {{ nodes {{ title code }} }}
    lineItems(first: 50, after: $after) {{
      nodes {{ ...HemiLine }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
{_FRAGMENTS}"""

CHANGED_ORDERS = f"""
query HemiChangedOrders($query: String!, $after: String) {{
  orders(first: 12, after: $after, sortKey: UPDATED_AT, query: $query) {{
    nodes {{
      ...HemiOrderFields
      shippingLines(first: 3) {{ nodes {{ title code }} pageInfo {{ hasNextPage }} }}
      lineItems(first: 10) {{ nodes {{ ...HemiLine }} pageInfo {{ hasNextPage }} }}
    }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}
{_FRAGMENTS}"""

ORDER_IDS = """
query HemiOrderIds($query: String!, $after: String) {
  orders(first: 250, after: $after, sortKey: CREATED_AT, query: $query) {
    nodes { legacyResourceId name createdAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""
