"""The documents that read collections for the background, valid for the 2026-10 schema without a deprecated field."""

COLLECTIONS_COUNT = """
query HemiCollectionsCount {
  collectionsCount(limit: null) { count precision }
}
"""

COLLECTION_PAGE = """
query HemiCollectionPage($after: String, $query: String) {
  collections(first: 150, after: $after, sortKey: ID, query: $query) {
    nodes {
      legacyResourceId handle title updatedAt
      productsCount { count precision }
      sources { __typename ... on CollectionConditionsSource { inclusion { conditions { __typename } } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
