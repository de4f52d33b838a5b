package sign

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// ordered calls the functions that worker makes, one a processor, for 0 to n-1,
// and take with the results in that order. It bounds what is waiting to be taken,
// stops at the first error in that order, and returns only when no goroutine of
// it is left.
func ordered[T any](ctx context.Context, n int, worker func() func(i int) (T, error), take func(T) error) error {
	type result struct {
		value T
		err   error
	}
	type task struct {
		i   int
		out chan<- result
	}
	workers := runtime.GOMAXPROCS(0)
	group, ctx := errgroup.WithContext(ctx)
	tasks, queue := make(chan task), make(chan chan result, 2*workers)
	group.Go(func() error {
		defer close(tasks)
		defer close(queue)
		for i := range n {
			out := make(chan result, 1)
			select {
			case queue <- out:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case tasks <- task{i, out}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range workers {
		work := worker()
		group.Go(func() error {
			for t := range tasks {
				v, err := work(t.i)
				t.out <- result{v, err}
			}
			return nil
		})
	}
	group.Go(func() error {
		for out := range queue {
			select {
			case r := <-out:
				if r.err != nil {
					return r.err
				}
				if err := take(r.value); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}
