package observe

import (
	"context"
	"fmt"
	"slices"

	"nirzone/zone"
)

const (
	maxRounds      = 4  // in which the servers of parents lead to others; who comes later is asked by the next run
	maxParentHosts = 64 // as many as an NS set has
)

// discover asks those servers of the parents too that the parents' own NS sets
// name, and returns all tasks.
func (r *runner) discover(ctx context.Context, p *planner, plans []zonePlan, tasks []*task) []*task {
	more := tasks
	for range maxRounds {
		found := map[*parentPlan][]target{}
		for _, t := range more {
			if t.kind == taskKeys && t.done {
				found[t.parent] = append(found[t.parent], p.follow(ctx, t)...)
			}
		}
		more = r.below(plans, found)
		if len(more) == 0 {
			break
		}
		r.mu.Lock()
		r.total += len(more)
		r.mu.Unlock()
		r.ask(ctx, more)
		tasks = append(tasks, more...)
	}
	return tasks
}

// follow notes whom the NS set of a parent names, and returns the addresses of those
// who are not asked yet. If the configuration names the servers, nobody else is.
func (p *planner) follow(ctx context.Context, t *task) []target {
	plan := t.parent
	known := len(plan.targets)
	for _, set := range t.got.sets {
		if set.Type != zone.TypeNS || plan.named {
			continue
		}
		for _, host := range set.Hosts() {
			plan.listed[host] = true
			switch {
			case slices.Contains(plan.hosts, host):
			case len(plan.hosts) < maxParentHosts:
				p.join(ctx, plan, host, nil)
			default:
				p.tooMany(plan)
			}
		}
	}
	return plan.targets[known:]
}

func (p *planner) tooMany(plan *parentPlan) {
	u := zone.UnknownServer{Server: plan.zone, Parent: true, Reason: fmt.Sprintf("its NS sets name over %d servers in all", maxParentHosts)}
	if !slices.Contains(plan.unknown, u) {
		plan.unknown = append(plan.unknown, u)
	}
}

// below lists what is to be asked of servers of parents: of each the DNSKEY and NS
// sets, and the DS set of every zone below.
func (r *runner) below(plans []zonePlan, targets map[*parentPlan][]target) []*task {
	var tasks []*task
	parents := map[*parentPlan]bool{}
	for _, p := range plans {
		for _, t := range targets[p.parent] {
			tasks = append(tasks, &task{target: t, zone: p.zone, kind: taskDS})
			if !parents[p.parent] {
				tasks = append(tasks, &task{target: t, zone: p.parent.zone, kind: taskKeys, parent: p.parent})
			}
		}
		parents[p.parent] = true
	}
	return tasks
}
