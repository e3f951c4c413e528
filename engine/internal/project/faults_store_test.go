package project_test

// keeping is a pipeline that declares tables, with these steps.
func keeping(steps string) []edit {
	return []edit{{"pipelines/keep.yaml", "", "pipeline: keep\nversion: 1\n" +
		"inputs:\n  id: {type: integer}\n  pin: {type: string, secret: true}\n" +
		"tables:\n  accounts: {type: integer, minimum: 1}\n  orders: {type: object, required: [state], properties: {state: {type: string}, note: {type: string}}}\n" +
		"steps:\n" + steps}}
}

var storeFaults = []faultCase{
	{"connection declared with the name of the built-in vendor", []edit{{one, "  shop: {vendor: shop}", "  shop: {vendor: shop}\n  store: {vendor: shop}"}}},
	{"unknown operation of the store", keeping("  - {id: a, call: store.pull, with: {table: accounts, key: x}}\n")},
	{"misspelt store", keeping("  - {id: a, call: stor.get, with: {table: accounts, key: x}}\n")},
	{"misspelt table", keeping("  - {id: a, call: store.get, with: {table: acounts, key: x}}\n")},
	{"table of the runner", keeping("  - {id: a, call: store.list, with: {table: .connections}}\n")},
	{"value that does not fit its table", keeping("  - {id: a, call: store.put, with: {table: accounts, key: x, value: seven}}\n")},
	{"value that may be null for a table", keeping("  - {id: a, call: store.get, with: {table: accounts, key: x}}\n  - {id: b, call: store.put, with: {table: accounts, key: x, value: \"${{ steps.a.outputs.value }}\"}}\n")},
	{"nothing to put", keeping("  - {id: a, call: store.put, with: {table: accounts, key: x}}\n")},
	{"value that may not be there", keeping("  - {id: a, call: store.get, with: {table: accounts, key: x}}\noutputs:\n  next: ${{ steps.a.outputs.value + 1 }}\n")},
	{"member that the values of a table have not", keeping("  - {id: a, call: store.get, with: {table: orders, key: x}}\noutputs:\n  state: ${{ steps.a.outputs.value?.stat }}\n")},
	{"member that the listed values of a table have not", keeping("  - {id: a, call: store.list, with: {table: orders}}\noutputs:\n  states: ${{ map(steps.a.outputs.rows, .value.stat) }}\n")},
	{"key that is no text", keeping("  - {id: a, call: store.get, with: {table: accounts, key: \"${{ inputs.id }}\"}}\n")},
	{"secret into a table", keeping("  - {id: a, call: store.put, with: {table: pins, key: x, value: \"${{ inputs.pin }}\"}}\n")},
	{"secret as a key", keeping("  - {id: a, call: store.get, with: {table: pins, key: \"${{ inputs.pin }}\"}}\n")},
	{"secret inside a value for a table", keeping("  - {id: a, call: store.put, with: {table: pins, key: x, value: {pin: \"${{ inputs.pin }}\"}}}\n")},
	{"until of a put", keeping("  - {id: a, call: store.put, with: {table: accounts, key: x, value: 1}, until: true, every: 1s, timeout: 1m}\n")},
	{"undo by a read of the store", keeping("  - {id: a, call: store.put, with: {table: accounts, key: x, value: 1}, undo: {call: store.get, with: {table: accounts, key: x}}}\n")},
	{"fault beside a table", keeping("  - {id: a, call: store.put, with: {table: accounts, key: x, value: \"${{ inputs.ids }}\"}}\n  - {id: b, call: store.get, with: {table: \"${{ inputs.ids }}\", key: x}}\n")},
	{"table of secrets", []edit{{one, "connections:\n", "tables:\n  pins: {type: string, secret: true}\nconnections:\n"}}},
	{"table of an unknown type", []edit{{one, "connections:\n", "tables:\n  pins: {type: txt}\nconnections:\n"}}},
	{"table with a word of inputs", []edit{{one, "connections:\n", "tables:\n  pins: {type: string, optional: true}\nconnections:\n"}}},
	{"table with a bad name", []edit{{one, "connections:\n", "tables:\n  .pins: {type: string}\nconnections:\n"}}},
	{"table that a called pipeline declares otherwise", []edit{
		{one, "connections:\n", "tables:\n  ids: {type: integer}\nconnections:\n"},
		{many, "connections:\n", "tables:\n  ids: {type: string}\nconnections:\n"}}},
}
