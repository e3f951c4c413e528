package project_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed627bd532/runner/engine/internal/project"
)

// manyFiles makes a project of vendors and pipelines that are like the shipped
// ones in what they use: a login, schemas that refer to each other, reads, creates with
// look-ups; pipelines with steps that depend on each other, and a half of them
// called by another for each row of a list.
func manyFiles(vendors, pipelines int) fstest.MapFS {
	files := fstest.MapFS{}
	add := func(name, text string) { files[name] = &fstest.MapFile{Data: []byte(text)} }
	for v := range vendors {
		var b strings.Builder
		fmt.Fprintf(&b, vendorHead, v)
		for o := range 6 {
			fmt.Fprintf(&b, vendorOperations, o)
		}
		b.WriteString(vendorSchemas)
		add(fmt.Sprintf("specs/vendor%d.yaml", v), b.String())
	}
	for p := range pipelines {
		name := fmt.Sprintf("pipeline%d", p)
		if p%2 == 0 {
			add("pipelines/"+name+".yaml", fmt.Sprintf(pipelineOfOne, name, p%vendors))
		} else {
			add("pipelines/"+name+".yaml", fmt.Sprintf(pipelineOfMany, name, fmt.Sprintf("pipeline%d.yaml", p-1), p%vendors))
		}
	}
	return files
}

const vendorHead = `vendor: vendor%d
version: 1
title: A vendor among many
config:
  username: {type: string}
  password: {type: string, secret: true}
auth:
  token:
    call: login
    with: {username: "${{ config.username }}", password: "${{ config.password }}"}
    value: ${{ outputs.token }}
    lifetime: 20m
  inject: {headers: {Authorization: "Bearer ${{ token }}"}}
defaults:
  timeout: 30s
  retry: {attempts: 5, first: 1s, max: 30s}
envelope:
  message: error.message
  outcomes:
    - if: status == 401 or lower(text) matches 'session (has )?expired|token.*invalid'
      is: auth
operations:
  login:
    effect: idempotent
    auth: none
    inputs: {username: {type: string}, password: {type: string, secret: true}}
    request:
      method: POST
      path: /login
      body: {username: "${{ inputs.username }}", password: "${{ inputs.password }}"}
    response:
      schema: {type: object, required: [token], properties: {token: {type: string}}}
      outputs: {token: {path: token, secret: true}}
`

const vendorOperations = `
  find_%[1]d:
    effect: read
    inputs:
      number: {$ref: "#/schemas/Number"}
      limit: {type: integer, default: 10}
    request:
      method: GET
      path: /things%[1]d
      query: {number: "${{ inputs.number }}", limit: "${{ inputs.limit }}"}
    response:
      schema: {type: array, items: {$ref: "#/schemas/Thing"}}
      outcomes:
        # Nothing was found.
        - if: status == 404 and not (trim(text) matches '^<')
          is: empty
      outputs:
        things:
          path: "@this"
          each:
            id: Id
            number: Number
            name: {path: Name, trim: true}
            price: {path: Price, type: decimal}
            due: {path: Due, type: date, format: yyyyMMdd, null_if: ["", "00000000"]}

  create_%[1]d:
    effect: create
    inputs:
      number: {$ref: "#/schemas/Number"}
      name: {type: string, minLength: 1}
      price: {type: decimal, optional: true}
      tags: {type: array, items: {type: string}, default: []}
    request:
      method: POST
      path: /things%[1]d
      body:
        Number: ${{ inputs.number }}
        Name: ${{ inputs.name }}
        Price: ${{ inputs.price ?? omit }}
        Tags: ${{ inputs.tags }}
        Address: {Street: "", City: ""}
    response:
      schema: {$ref: "#/schemas/Thing"}
      outputs: {id: Id}
    identity: inputs.number
    reconcile:
      call: find_%[1]d
      with: {number: "${{ inputs.number }}"}
      found: any(outputs.things, .number == inputs.number)
      outputs:
        id: ${{ find(outputs.things, .number == inputs.number)?.id }}
      tries: 3
      every: 5s
`

const vendorSchemas = `
schemas:
  Number: {type: string, pattern: '^[A-Z0-9]{4,12}$'}
  Thing:
    type: object
    required: [Id, Number, Name]
    properties:
      Id: {type: integer}
      Number: {$ref: "#/schemas/Number"}
      Name: {type: string}
      Price: {type: [string, number, "null"]}
      Due: {type: string, nullable: true}
      State: {type: string, enum: [new, open, closed]}
      Parts: {type: array, items: {$ref: "#/schemas/Part"}}
  Part:
    type: object
    required: [Id]
    properties:
      Id: {type: integer}
      Text: {type: string}
      Of: {$ref: "#/schemas/Thing"}
`

const pipelineOfOne = `# Finds a thing, or creates it.
pipeline: %s
version: 1

inputs:
  number: {type: string, minLength: 1}
  name: {type: string, minLength: 1}
  price: {type: decimal, optional: true}

connections:
  it: {vendor: vendor%d}

steps:
  - id: lookup
    call: it.find_0
    with:
      number: ${{ inputs.number }}

  - id: match
    set:
      same: ${{ filter(steps.lookup.outputs.things, .number == inputs.number) }}
      names: "${{ join(map(steps.lookup.outputs.things, .name + ' (' + text(.id) + ')'), ', ') }}"

  - id: several
    if: len(steps.match.outputs.same) > 1
    fail: "number ${{ inputs.number }} belongs to ${{ len(steps.match.outputs.same) }} things: ${{ steps.match.outputs.names }}"

  - id: create
    if: len(steps.match.outputs.same) == 0
    call: it.create_1
    with:
      number: ${{ inputs.number }}
      name: ${{ inputs.name }}
      price: ${{ inputs.price }}

  - id: wait
    call: it.find_2
    with: {number: "${{ inputs.number }}"}
    until: len(outputs.things) > 0
    every: 5s
    timeout: 10m

outputs:
  id: ${{ steps.create.outputs.id ?? first(steps.match.outputs.same)?.id }}
  created: ${{ steps.create.sent }}
`

const pipelineOfMany = `# Does so for every row.
pipeline: %s
version: 1

inputs:
  rows:
    type: array
    items: {$ref: "%[2]s#/inputs"}

connections:
  other: {vendor: vendor%[3]d}

steps:
  - id: each
    foreach: inputs.rows
    as: row
    key: row.number
    parallel: 8
    on_error: collect
    call: ./%[2]s
    with: ${{ row }}

  - id: done
    set:
      rows:
        $each: filter(steps.each.results, .status == 'done')
        as: row
        value: {key: "${{ row.key }}", id: "${{ row.id }}"}
      by_key: ${{ groupBy(steps.each.results, .key) }}

  - id: check
    foreach: steps.done.outputs.rows
    as: row
    key: row.key
    call: other.find_3
    with: {number: "${{ row.key }}"}

outputs:
  results: {value: "${{ steps.each.results }}", file: results.csv}
  failed: ${{ count(steps.each.results, .status != 'done') }}
  keys: ${{ keys(steps.done.outputs.by_key) }}
`

func TestTheFilesOfTheBenchmarkAreSound(t *testing.T) {
	t.Parallel()
	if _, faults := project.Load(manyFiles(2, 4)); len(faults) > 0 {
		t.Fatal(faults)
	}
}

// BenchmarkCheck checks projects of growing size: the largest has 500 vendor files and 2,000 pipelines.
func BenchmarkCheck(b *testing.B) {
	for _, part := range []int{16, 4, 2, 1} {
		vendors, pipelines := 500/part, 2000/part
		b.Run(fmt.Sprintf("vendors=%d/pipelines=%d", vendors, pipelines), func(b *testing.B) {
			files := manyFiles(vendors, pipelines)
			size := int64(0)
			for _, f := range files {
				size += int64(len(f.Data))
			}
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if _, faults := project.Load(files); len(faults) > 0 {
					b.Fatal(faults[0])
				}
			}
		})
	}
}
