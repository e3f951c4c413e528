package engine

import (
	"context"
	"iter"
)

// Stream runs the pipeline and yields the rows of its foreach steps as they
// end. A run that fails yields its error last. Leaving the loop interrupts the run.
func (p *Program) Stream(ctx context.Context, r Request) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		rows := make(chan Row)
		ended := make(chan error, 1)
		hear := r.Rows
		r.Rows = func(row Row) {
			if hear != nil {
				hear(row)
			}
			select {
			case rows <- row:
			case <-ctx.Done():
			}
		}
		go func() {
			_, err := p.Run(ctx, r)
			ended <- err
			close(rows)
		}()
		for row := range rows {
			if !yield(row, nil) {
				cancel()
				for range rows { // until the run has ended
				}
				return
			}
		}
		if err := <-ended; err != nil {
			yield(Row{}, err)
		}
	}
}
