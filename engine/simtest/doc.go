// Package simtest has no code but tests: the simulation, which runs random pipelines against a vendor that
// loses answers, on machines that crash, and counts what exists twice.
package simtest
