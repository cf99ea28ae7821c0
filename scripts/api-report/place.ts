/** Where the report on the public types is, in the project. */
export const API_REPORT = 'api/nsset.api.md'
