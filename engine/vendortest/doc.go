// Package vendortest has no code but tests: of the five vendors of specs/ against servers written from
// the vendors' documents, and of vendor files for other public APIs.
package vendortest
