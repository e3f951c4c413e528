package pipeline

import "github.com/seed627bd532/runner/engine/internal/catalog"

// StoreVendor returns the built-in vendor Store for those who tell what it
// offers: its tables hold anything, and it has no file.
func StoreVendor() *catalog.Vendor { return storeVendor() }
