package authoring_test

import (
	"io/fs"
	"os"
	"path"
	"testing"
	"testing/fstest"
)

// shop is a project that has a bit of everything.
func shop() fstest.MapFS {
	return fstest.MapFS{
		"pipelines/main.test.yaml": {Data: []byte("test: main\ninputs: {customer: x, days: [2026-01-31]}\ncases:\n  - {name: all is there, expect: {}}\n  - name: it is slow\n    expect: {status: partial}\n")},
		"pipelines/more.test.yaml": {Data: []byte("test: ./main.yaml\ninputs: {customer: x, days: []}\ncases: [{name: by path, expect: {}}]\n")},
		"pipelines/one.test.yaml":  {Data: []byte("test: one\ninputs: {article: a, count: 1}\ncases: [{name: of another, expect: {}}]\n")},
		"specs/shop.yaml": {Data: []byte(`vendor: shop
version: 1
title: The shop
description: >-
  It sells
  things.
config:
  key: {type: string, secret: true}
  region: {type: string, enum: [eu, us]}
auth:
  inject: {headers: {X-Key: "${{ config.key }}"}}
defaults: {timeout: 20s, retry: {attempts: 3, first: 1s, max: 10s}, limits: {concurrency: 8, rate: 100/m}}
envelope:
  outcomes:
    - {if: body.code == 7, is: busy}
operations:
  find:
    title: Find orders
    effect: read
    inputs: {customer: {type: string, description: "The customer's number", example: C-1}}
    request: {method: GET, path: /orders, query: {c: "${{ inputs.customer }}", page: "${{ page.number }}"}}
    paginate: {by: number, items: orders}
    response:
      schema: {type: array, items: {$ref: "#/schemas/Order"}}
      outputs: {orders: "@this"}
  order:
    effect: create
    inputs:
      article: {type: string}
      count: {type: integer, minimum: 2}
      day: {type: date, optional: true}
      note: {type: string, default: none}
      pin: {type: string, secret: true, default: "0000"}
    request: {method: POST, path: /orders, body: {a: "${{ inputs.article }}", n: "${{ inputs.count }}", x: "${{ inputs.note }}", p: "${{ inputs.pin }}", d: "${{ inputs.day ?? omit }}"}}
    response:
      schema: {$ref: "#/schemas/Order"}
      outputs: {id: id}
    identity: inputs.article
    reconcile:
      call: find
      with: {customer: "${{ inputs.article }}"}
      found: len(outputs.orders) > 0
      outputs: {id: "${{ first(outputs.orders)?.id }}"}
      tries: 3
  ask:
    effect: create
    identity: null
    request: {method: POST, path: /ask}
  cancel:
    effect: idempotent
    timeout: 1m
    limits: {concurrency: 1}
    inputs: {id: {type: integer}}
    request: {method: DELETE, path: "/orders/${{ inputs.id }}"}
    response: {as: none, ok: status == 204}
schemas:
  Order:
    type: object
    required: [id]
    properties:
      id: {type: integer}
      state: {type: string, enum: [open, "it's <done>"]}
      parts: {type: array, items: {$ref: "#/schemas/Order"}}
`)},
		"pipelines/main.yaml": {Data: []byte(`pipeline: main
version: 1
title: Orders, all at once
on_failure: undo
inputs:
  articles:
    type: array
    file: articles.csv
    items: {type: object, required: [article, count], properties: {article: {type: string}, count: {type: integer}}}
  customer: {type: string, example: "O'Hara & \"Co\""}
  days: {type: array, items: {type: date}}
  fast: {type: boolean, default: false}
connections: {shop: {vendor: shop}}
steps:
  - id: known
    call: shop.find
    with: {customer: "${{ inputs.customer }}"}
    until: len(outputs.orders) > 0
    every: 5s
    timeout: 1m
  - if: "\"#x;\" != '%%{init}%%'"
    fail: "no <b>${{ inputs.customer }}</b>\n; end"
  - id: each
    foreach: inputs.articles
    as: row
    key: row.article
    parallel: 4
    on_error: collect
    steps:
      - id: one
        call: ./one.yaml
        with: {article: "${{ row.article }}", count: "${{ row.count }}"}
      - id: again
        call: ./one.yaml
        with: {article: "${{ row.article }}", count: "${{ row.count }}"}
    outputs: {id: "${{ steps.one.outputs.id }}"}
  - id: way
    switch:
      - if: inputs.fast
        steps: [{id: a, set: {x: 1, y: 2}}]
      - steps: [{id: b, call: shop.cancel, with: {id: 1}, on_error: continue}]
outputs:
  rows: {value: "${{ steps.each.results }}", file: rows.csv}
`)},
		"pipelines/one.yaml": {Data: []byte(`pipeline: one
version: 1
inputs: {article: {type: string}, count: {type: integer}}
connections: {shop: {vendor: shop}}
steps:
  - id: order
    call: shop.order
    with: {article: "${{ inputs.article }}", count: "${{ inputs.count }}"}
    undo: {call: shop.cancel, with: {id: "${{ outputs.id }}"}}
outputs: {id: "${{ steps.order.outputs.id }}"}
`)},
	}
}

// shipped are the files of the product.
func shipped(t testing.TB) fstest.MapFS {
	t.Helper()
	root := os.DirFS("../..")
	files := fstest.MapFS{}
	for _, dir := range []string{"specs", "pipelines"} {
		err := fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".yaml" {
				return err
			}
			text, err := fs.ReadFile(root, name)
			files[name] = &fstest.MapFile{Data: text}
			return err
		})
		if err != nil || len(files) == 0 {
			t.Fatalf("%d files, %v", len(files), err)
		}
	}
	return files
}
