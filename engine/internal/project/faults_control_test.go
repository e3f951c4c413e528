package project_test

// desk is a vendor for faults of control flow.
const desk = `vendor: desk
version: 1
operations:
  add:
    effect: create
    inputs: {name: {type: string}}
    identity: inputs.name
    request: {method: POST, path: /add}
    response:
      schema: {type: object, required: [id], properties: {id: {type: integer}, note: {type: string}}}
      outputs: {id: id, note: note}
  drop:
    effect: idempotent
    inputs: {id: {type: integer}}
    request: {method: DELETE, path: "/drop/${{ inputs.id }}"}
    response: {as: none}
  look:
    effect: read
    inputs: {name: {type: string, default: x}}
    request: {method: GET, path: "/look/${{ inputs.name }}"}
    response:
      schema: {type: object, required: [state], properties: {state: {type: string}}}
      outputs: {state: state}
  send:
    effect: idempotent
    inputs: {rows: {type: array, maxItems: 3, items: {type: string}}}
    rows: {of: inputs.rows, as: row}
    request: {method: POST, path: /send, body: "${{ inputs.rows }}"}
    response:
      schema: {type: object, required: [total], properties: {total: {type: integer}}}
      outputs: {total: total}
  peek:
    effect: read
    inputs: {rows: {type: array, items: {type: string}}}
    rows: {of: inputs.rows, as: row}
    request: {method: POST, path: /peek, body: "${{ inputs.rows }}"}
    response: {as: none}
`

// control is a project with a pipeline of these steps, and perhaps more.
func control(rest string) []edit {
	return []edit{
		{"specs/desk.yaml", "", desk},
		{"pipelines/main.yaml", "", "pipeline: main\nversion: 1\nconnections: {desk: {vendor: desk}, shop: {vendor: shop}}\n" +
			"inputs:\n  names: {type: array, items: {type: string}}\n  yes: {type: boolean}\nsteps:\n" + rest},
	}
}

const adding = "  - id: add\n    call: desk.add\n    with: {name: a}\n"

var controlFaults = []struct{ name, rest string }{
	{"branch without if", "  - id: it\n    switch:\n      - steps: [{id: a, set: {x: 1}}]\n      - if: inputs.yes\n        steps: [{id: b, set: {x: 1}}]\n"},
	{"branch whose condition is no condition", "  - id: it\n    switch:\n      - if: inputs.names\n        steps: [{id: a, set: {x: 1}}]\n"},
	{"handler without if", adding + "    on_error:\n      - outputs: {id: 1, note: null}\n      - if: error.status == 409\n"},
	{"handler that misses outputs", adding + "    on_error:\n      - outputs: {id: 1}\n"},
	{"handler with an output that is not there", adding + "    on_error:\n      - outputs: {id: 1, note: null, color: red}\n"},
	{"handler with an output of the wrong type", adding + "    on_error:\n      - outputs: {id: one, note: null}\n"},
	{"handler of a fail that gives outputs", "  - id: it\n    fail: stop\n    on_error:\n      - outputs: {id: 1}\n"},
	{"outcome after a handler", adding + "    on_error:\n      - outputs: {id: 1, note: null}\n  - id: next\n    call: desk.add\n    with: {name: \"${{ steps.add.outcome }}\"}\n"},
	{"outputs after a handler that gives none", adding + "    on_error:\n      - if: error.code == 'timeout'\n  - id: drop\n    call: desk.drop\n    with: {id: \"${{ steps.add.outputs.id }}\"}\n"},
	{"outcome that a step without on_error never has", adding + "  - {if: \"steps.add.outcome == 'conflict'\", fail: it is there}\n"},
	{"outcome that no rule gives", "  - {id: it, call: desk.look}\n  - {if: \"steps.it.outcome == 'empty'\", fail: nothing}\n  - {if: \"not (steps.it.outcome in ['ok', 'empty'])\", fail: x}\n"},
	{"outcome in a list of failures", adding + "  - {if: \"steps.add.outcome in ['not_found', 'conflict']\", fail: it is there}\n"},
	{"outcome that no handler passes over", adding + "    on_error:\n      - if: error.outcome == 'conflict' and error.code == 'refused'\n      - if: error.outcome in ['invalid', 'denied']\n" +
		"  - {if: \"steps.add.outcome in ['conflict', 'denied']\", fail: stop}\n  - {if: \"steps.add.outcome == 'not_found'\", fail: stop}\n"},
	{"outcomes that no handler sees", adding + "    on_error:\n      - if: error.outcome == 'ok'\n      - if: error.outcome in ['auth', 'unknown']\n      - if: error.outcome in ['auth', 'conflcit', 'busy']\n      - if: error.status == 4040 or error.status >= 700\n"},
	{"outcomes in a switch", "  - {id: it, call: desk.look}\n  - id: way\n    switch:\n      - if: steps.it.outcome == 'ok'\n        steps: [{id: a, set: {x: 1}}]\n      - if: steps.it.outcome == 'not_found'\n        steps: [{id: b, set: {x: 1}}]\n"},
	{"outcomes after continue", "  - {id: it, call: desk.look, on_error: continue}\n  - {if: \"steps.it.outcome == 'not_found'\", fail: stop}\n  - {if: \"steps.it.outcome == 'auth'\", fail: stop}\n"},
	{"waits of years", "  - {id: it, call: desk.look, until: \"outputs.state == 'up'\", every: 30h, timeout: 3000h}\n"},
	{"numbers beyond all bounds", "  - {id: it, foreach: inputs.names, parallel: 100000000, call: desk.look}\n"},
	{"until of what is no read", adding + "    until: outputs.id > 1\n    every: 1s\n    timeout: 1m\n"},
	{"until of a pipeline", "  - id: it\n    call: ./one.yaml\n    with: {name: a}\n    until: outputs.id != null\n    every: 1s\n    timeout: 1m\n"},
	{"until of a batch", "  - id: it\n    call: desk.peek\n    with: {rows: []}\n    until: true\n    every: 1s\n    timeout: 1m\n"},
	{"until with foreach", "  - id: it\n    foreach: inputs.names\n    call: desk.look\n    until: outputs.state == 'up'\n    every: 1s\n    timeout: 1m\n"},
	{"until without an end", "  - id: it\n    call: desk.look\n    until: outputs.state == 'up'\n    every: 1s\n"},
	{"look only once", "  - id: it\n    call: desk.look\n    until: outputs.state == 'up'\n    every: 1m\n    timeout: 60s\n"},
	{"no wait between looks", "  - id: it\n    call: desk.look\n    until: outputs.state == 'up'\n    every: 0s\n    timeout: 1m\n"},
	{"no time for a step", "  - id: it\n    timeout: 0s\n    call: desk.look\n"},
	{"no time to wait", "  - id: it\n    call: desk.look\n    until: outputs.state == 'up'\n    every: 1s\n    timeout: 0m\n"},
	{"timeout longer than that of the group", "  - id: both\n    timeout: 30s\n    steps:\n      - id: it\n        timeout: 1m\n        call: desk.look\n"},
	{"timeout longer than that of a foreach far around", "  - id: both\n    foreach: inputs.names\n    timeout: 30s\n    switch:\n      - steps:\n          - {id: it, call: desk.look, until: \"outputs.state == 'up'\", every: 1s, timeout: 1h}\n"},
	{"timeout without id", "  - timeout: 5s\n    steps: [{id: it, call: desk.look}]\n"},
	{"undo of a batch", "  - id: it\n    foreach: inputs.names\n    batch: 3\n    call: desk.look\n    undo: {call: desk.drop, with: {id: 1}}\n"},
	{"undo of a batch operation", "  - id: it\n    call: desk.send\n    with: {rows: [a]}\n    undo: {call: desk.drop, with: {id: 1}}\n"},
	{"undo of a pipeline", "  - id: it\n    call: ./one.yaml\n    with: {name: a}\n    undo: {call: desk.drop, with: {id: 1}}\n"},
	{"undo of a read", "  - id: it\n    call: desk.look\n    undo: {call: desk.drop, with: {id: 1}}\n"},
	{"undo by a pipeline", adding + "    undo: {call: ./one.yaml, with: {name: a}}\n"},
	{"undo that is not idempotent", adding + "    undo: {call: desk.add, with: {name: b}}\n"},
	{"undo without its inputs", adding + "    undo: {call: desk.drop}\n"},
	{"undo with an output that is not there", adding + "    undo: {call: desk.drop, with: {id: \"${{ outputs.ids }}\"}}\n"},
	{"undo with two faults", adding + "    undo: {call: desk.drip, with: {id: \"${{ outputs.ids }}\"}}\n"},
	{"undo of no call", "  - id: it\n    set: {x: 1}\n    undo: {call: desk.drop, with: {id: 1}}\n"},
	{"breaker without collect", "  - id: it\n    foreach: inputs.names\n    breaker: 3\n    call: desk.look\n"},
	{"breaker without foreach", "  - id: it\n    breaker: 3\n    call: desk.look\n"},
	{"foreach without id", "  - foreach: inputs.names\n    set: {x: 1}\n"},
	{"as in an as", "  - id: a\n    foreach: inputs.names\n    as: name\n    steps:\n      - {id: b, foreach: inputs.names, as: name, call: desk.look}\n"},
	{"item in an item", "  - id: a\n    foreach: inputs.names\n    steps:\n      - {id: b, foreach: inputs.names, call: desk.look}\n"},
	{"as that hides outputs", "  - id: a\n    foreach: inputs.names\n    as: outputs\n    call: desk.look\n"},
	{"step of a group seen outside", "  - id: both\n    steps: [{id: it, call: desk.look}]\noutputs:\n  state: ${{ steps.it.outputs.state }}\n"},
	{"step of a branch seen in the next", "  - id: it\n    switch:\n      - if: inputs.yes\n        steps: [{id: a, set: {x: 1}}]\n      - steps: [{id: b, set: {y: \"${{ steps.a.outputs.x }}\"}}]\n"},
	{"output that a group does not give", "  - id: both\n    steps: [{id: it, call: desk.look}]\n    outputs: {state: \"${{ steps.it.outputs.state }}\"}\n  - id: next\n    call: desk.look\n    with: {name: \"${{ steps.both.outputs.stat }}\"}\n"},
	{"faulty outputs of a group are told once", "  - id: both\n    steps: [{id: it, call: desk.look}]\n    outputs: {state: \"${{ steps.it.outputs.stat }}\"}\n  - id: next\n    call: desk.look\n    with: {name: \"${{ steps.both.outputs.state }}\"}\n"},
	{"outputs of a skipped group", "  - id: both\n    if: inputs.yes\n    steps: [{id: it, call: desk.look}]\n    outputs: {state: \"${{ steps.it.outputs.state }}\"}\n  - {id: next, call: desk.add, with: {name: \"${{ steps.both.outputs.state }}\"}}\n"},
	{"outputs of a switch that may do nothing", "  - id: it\n    switch:\n      - if: inputs.yes\n        steps: [{id: a, call: desk.look}]\n        outputs: {state: \"${{ steps.a.outputs.state }}\"}\n  - {id: next, call: desk.add, with: {name: \"${{ steps.it.outputs.state }}\"}}\n"},
	{"output that not every branch has", "  - id: it\n    switch:\n      - if: inputs.yes\n        steps: [{id: a, call: desk.look}]\n        outputs: {state: \"${{ steps.a.outputs.state }}\"}\n      - steps: [{id: b, call: desk.look}]\n  - {id: next, call: desk.add, with: {name: \"${{ steps.it.outputs.state }}\"}}\n"},
	{"step of the same name in a group", adding + "  - id: both\n    steps: [{id: add, call: desk.look}]\n"},
	{"steps of the same name in two branches", "  - id: it\n    switch:\n      - if: inputs.yes\n        steps: [{id: a, call: desk.look}]\n      - steps: [{id: a, call: desk.look}]\n"},
	{"batch larger than the call takes", "  - id: it\n    foreach: inputs.names\n    as: some\n    batch: 4\n    call: desk.send\n    with: {rows: \"${{ some }}\"}\n"},
	{"batch larger than a call in its group takes", "  - id: it\n    foreach: inputs.names\n    as: some\n    batch: 100\n    steps:\n      - {id: send, call: desk.send, with: {rows: \"${{ some }}\"}}\n"},
	{"outputs of a batch that may be empty", "  - id: it\n    call: desk.send\n    with: {rows: []}\n  - {id: drop, call: desk.drop, with: {id: \"${{ steps.it.outputs.total }}\"}}\n"},
	{"create in a loop without a key", "  - id: it\n    foreach: inputs.names\n    as: name\n    steps:\n      - {id: add, call: desk.add, with: {name: \"${{ name }}\"}}\noutputs: {x: \"${{ steps.ad }}\"}\n"},
	{"text that looks like a marker", "  - id: it\n    set:\n      a: ${ inputs.names }\n      b: it is {{inputs.yes}} or {{ other }}\n      c: \"ü ${len(inputs.names)}\"\n"},
	{"group of what may be no group", "  - id: it\n    set: {by: \"${{ groupBy(inputs.names, #) }}\"}\n  - id: next\n    set: {a: \"${{ sum(steps.it.outputs.by[inputs.names[0]]) }}\"}\n"},
	{"object compared with null", "  - {id: it, call: desk.look}\n  - if: steps.it.outputs == null\n    fail: nothing\n"},
	{"texts to choose from", "  - id: it\n    set: {word: \"${{ inputs.yes ? 'new' : 'old' }}\"}\n  - if: steps.it.outputs.word == 'odl'\n    fail: old\n"},
	{"?? with another kind of value", "  - {id: it, if: inputs.yes, call: desk.look}\n  - {id: next, call: desk.look, with: {name: \"${{ steps.it.outputs.state ?? 0 }}\"}}\n"},
	{"a member deep in an argument", "  - id: it\n    foreach: inputs.names\n    as: name\n    call: desk.send\n    with:\n      rows:\n        - ${{ name }}\n        - ${{ len(name) }}\n"},
	{"nothing to undo, and a fault", adding + "on_failure: undo\noutputs:\n  x: ${{ steps.ad }}\n"},
}
