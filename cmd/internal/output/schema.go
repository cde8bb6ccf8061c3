package output

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema of the records: scan, notice, run and attempt. The slice
// is the caller's.
func Schema() []byte { return slices.Clone(schema) }
