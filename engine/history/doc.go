// Package history shows people what a state has recorded about runs: which there
// are, what became of each of their calls, and what somebody has to settle.
//
//	runs, err := history.List(ctx, store, 20)
//	run, err := history.Show(ctx, store, runs[0].ID)
//	for _, open := range run.Open {
//		fmt.Println(open.Key, "may or may not have been done")
//	}
package history
