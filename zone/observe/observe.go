package observe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"nirzone/zone"
	"nirzone/zone/publish"
)

// Options say what Run works on. Config and ID are needed.
type Options struct {
	Config  *zone.Config
	Now     time.Time            // of what is recorded and judged
	Elapsed func() time.Duration // since the run began, for the report; nil leaves it out
	FS      publish.FS           // of the spool; nil is publish.OS
	Zones   []zone.Name          // only these; nil is all
	DryRun  bool                 // ask, record nothing
	ID      func() uint16        // ids of queries, which nobody can guess (RFC 5452, section 4.3); called by many goroutines
	System  []netip.AddrPort     // the system's resolvers, used if the configuration names none
	Anchors []zone.Record        // the trust anchors: above the highest nothing is asked

	// Dial connects to an address over "udp" or "tcp"; nil is net.Dialer's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Wait is called again and again while another program holds the spool, with
	// the number of the try; it returns false to give up. Nil gives up at once.
	Wait func(ctx context.Context, try int) bool
	// Progress is told of every task, one call at a time.
	Progress func(Event)
}

// An Event is a step of the run. Done and Total count what is asked of one address
// about one zone; Total is 0 while servers are looked up.
type Event struct {
	Zone        zone.Name
	Server      zone.Name
	Address     netip.AddrPort
	Done, Total int
	Questions   int64
	Err         error // why there was no good answer
}

// ErrUnknownZone is in the error of a run that was asked for a zone that the
// configuration does not have.
var ErrUnknownZone = errors.New("no such zone in the configuration")

// Run asks every server and records what they say. It returns an error only if
// nothing could be recorded: publish.ErrLocked if another run is at it. That a
// server does not answer is no error but what the run is for. The report is never
// nil.
func Run(ctx context.Context, o Options) (*Report, error) {
	r := &runner{Options: o, report: &Report{Version: ReportVersion, Time: o.Now, DryRun: o.DryRun}}
	err := r.defaults()
	if err == nil {
		err = r.locked(ctx)
	}
	r.report.finish(err, r.elapsed())
	return r.report, err
}

type runner struct {
	Options
	report *Report
	spool  spool
	asker  *asker
	res    *resolver
	zones  []zone.Name

	mu          sync.Mutex // of progress
	done, total int
}

func (r *runner) defaults() error {
	if r.FS == nil {
		r.FS = publish.OS
	}
	r.report.Config = r.Config.SHA256
	r.spool = spool{fs: r.FS, dir: r.Config.Spool, wait: r.Wait}
	c := &r.Config.Observe
	r.asker = &asker{timeout: c.Timeout, retries: c.Retries, rate: c.Rate, id: r.ID, dial: r.Dial}
	if r.Dial == nil {
		r.asker.dial = new(net.Dialer).DialContext
	}
	all := r.Config.Zones()
	r.zones = all
	if r.Zones != nil {
		r.zones = slices.Clone(r.Zones)
		slices.SortFunc(r.zones, zone.Name.Compare)
		r.zones = slices.Compact(r.zones)
	}
	for _, z := range r.zones {
		if !slices.Contains(all, z) {
			return fmt.Errorf("%w: %s", ErrUnknownZone, z.File())
		}
	}
	return nil
}

func (r *runner) elapsed() time.Duration {
	if r.Elapsed == nil {
		return 0
	}
	return r.Elapsed()
}

// locked runs while no other run can.
func (r *runner) locked(ctx context.Context) error {
	if !r.DryRun {
		release, err := r.spool.open()
		if err != nil {
			return err
		}
		defer release()
	}
	prev, err := r.spool.read()
	if err != nil {
		return err
	}
	next, err := r.observe(ctx, prev)
	if err != nil {
		return err
	}
	r.report.Cancelled = ctx.Err() != nil
	r.report.Off = r.off()
	r.report.describe(r.Config, next, r.zones, r.asker.count.Load())
	if r.DryRun {
		return nil
	}
	// A crash before this line leaves the observations of the run before.
	if err := r.spool.write(context.WithoutCancel(ctx), next); err != nil {
		return fmt.Errorf("recording the observations: %w", err)
	}
	r.report.Recorded = true
	return nil
}

// observe asks, and returns what is known then.
func (r *runner) observe(ctx context.Context, prev *zone.Observations) (*zone.Observations, error) {
	gen, dir, err := readGeneration(r.FS, r.Config.Public)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, r.Config.Observe.Total, fault(zone.FaultSilent, "the run took longer than observe.total = %v", r.Config.Observe.Total))
	defer cancel()
	next := &zone.Observations{Version: zone.ObservationsVersion, Run: prev.Run + 1, Time: r.Now, Zones: []zone.ObservedZone{}}
	if gen != nil {
		next.Generation = gen.Number
	}
	r.tell(Event{})
	r.res = r.resolver()
	p := newPlanner(r.Config, r.res, prev, r.Now)
	plans, wants := r.plan(limited, p, prev, gen, dir, next.Run)
	tasks := r.tasks(plans, wants)
	r.total = len(tasks)
	r.ask(limited, tasks)
	tasks = r.discover(limited, p, plans, tasks)
	r.late(ctx, limited, tasks)
	chain := r.chain(limited, plans, tasks)
	r.settle(next, prev, plans, wants, tasks, chain)
	return next, nil
}

// plan finds whom to ask, and what should come.
func (r *runner) plan(ctx context.Context, p *planner, prev *zone.Observations, gen *zone.Generation, dir string, run uint64) ([]zonePlan, map[zone.Name]*published) {
	var plans []zonePlan
	wants := map[zone.Name]*published{}
	for _, z := range r.zones {
		if ctx.Err() != nil {
			break
		}
		plans = append(plans, p.plan(ctx, z))
		if gen == nil || gen.Zone(z) == nil {
			continue
		}
		want, err := readPublished(dir, gen.Zone(z), run, r.Config.Observe.Sample, suspects(prev.Zone(z)))
		if err != nil {
			r.report.Notes = append(r.report.Notes, err.Error())
			want = &published{serial: gen.Zone(z).Serial}
		}
		wants[z] = want
	}
	return plans, wants
}

// maxSuspects bounds the delegations of a zone that are asked for again.
const maxSuspects = 64

// suspects are the delegations that some server had not, or otherwise.
func suspects(z *zone.ObservedZone) map[zone.Name]bool {
	out := map[zone.Name]bool{}
	if z == nil {
		return out
	}
	for _, o := range z.Servers {
		for _, n := range slices.Concat(o.Missing, o.Differs) {
			if len(out) < maxSuspects {
				out[n] = true
			}
		}
	}
	return out
}

// off says what does not work for want of configuration.
func (r *runner) off() []string {
	var off []string
	if len(r.Anchors) == 0 {
		off = append(off, "no DS is believed, and every KSK, CSK and algorithm roll waits at the step that needs it: no trust anchor is configured; name a file with the root's DS in [observe] anchors")
	}
	if r.res.wanted && len(r.res.servers) == 0 {
		off = append(off, "nothing is looked up, so that only servers with addresses in [[observe.server]] and [[observe.parent]] are asked, and a DS is believed only by an anchor of the parent itself: "+
			"there is no recursive resolver; set resolvers in [observe], or a nameserver in /etc/resolv.conf")
	}
	return off
}

func (r *runner) resolver() *resolver {
	servers := r.Config.Observe.Resolvers
	if len(servers) == 0 {
		servers = r.System
	}
	return &resolver{asker: r.asker, servers: servers, dead: map[netip.AddrPort]bool{}, ipv6: r.Config.Observe.IPv6, known: map[zone.Name]addresses{}}
}

// tasks lists all that is to be asked, before a server of a parent names another.
func (r *runner) tasks(plans []zonePlan, wants map[zone.Name]*published) []*task {
	var tasks []*task
	above := map[*parentPlan][]target{}
	for _, p := range plans {
		for _, t := range p.servers {
			tasks = append(tasks, &task{target: t, zone: p.zone, kind: taskApex, want: wants[p.zone]})
		}
		above[p.parent] = p.parent.targets
	}
	return append(tasks, r.below(plans, above)...)
}

// ask works through the tasks, some addresses side by side.
func (r *runner) ask(ctx context.Context, tasks []*task) {
	byAddress := map[netip.AddrPort][]*task{}
	for _, t := range tasks {
		byAddress[t.address] = append(byAddress[t.address], t)
	}
	var g errgroup.Group
	g.SetLimit(r.Config.Observe.Parallel)
	for _, a := range slices.SortedFunc(maps.Keys(byAddress), netip.AddrPort.Compare) {
		w := &worker{asker: r.asker, now: r.Now, told: r.told}
		g.Go(func() error {
			w.run(ctx, byAddress[a])
			return nil
		})
	}
	_ = g.Wait() // they return no error
}

// late makes faults of the tasks that the run had no time for. Those that an
// interrupt stopped are nobody's fault and stay undone.
func (r *runner) late(ctx, limited context.Context, tasks []*task) {
	if ctx.Err() != nil || limited.Err() == nil {
		return
	}
	for _, t := range tasks {
		if !t.done {
			t.got = finding{err: context.Cause(limited)}
			t.done = true
		}
	}
}

func (r *runner) told(t *task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if r.Progress != nil {
		r.Progress(Event{Zone: t.zone, Server: t.server, Address: t.address, Done: r.done, Total: r.total, Questions: r.asker.count.Load(), Err: t.got.err})
	}
}

func (r *runner) tell(e Event) {
	if r.Progress != nil {
		r.Progress(e)
	}
}

// chain collects the DNSKEY and DS sets from the parents up to the anchors: the
// parents' own keys from their servers, the rest from the resolvers. What cannot be
// had is left out; zonebuild then says what it misses.
func (r *runner) chain(ctx context.Context, plans []zonePlan, tasks []*task) []*zone.RRset {
	var found []*zone.RRset
	for _, t := range tasks {
		if t.kind == taskKeys && t.done {
			found = append(found, ofType(t.got.sets, zone.TypeDNSKEY)...)
		}
	}
	asked := map[zone.Name]bool{}
	for _, p := range plans {
		if p.parent.zone == "" {
			continue
		}
		for n := p.parent.zone; !asked[n] && ctx.Err() == nil; n = n.Parent() {
			asked[n] = true
			if n != p.parent.zone || len(p.parent.targets) == 0 {
				found = append(found, r.above(ctx, n, zone.TypeDNSKEY)...)
			}
			if n == zone.Root || r.anchored(n) {
				break
			}
			found = append(found, r.above(ctx, n, zone.TypeDS)...)
		}
	}
	return found
}

// anchored reports whether nothing above a name is needed: it has an anchor, and no
// name above it has.
func (r *runner) anchored(n zone.Name) bool {
	own := false
	for _, a := range r.Anchors {
		if a.Name == n {
			own = true
		} else if n.Within(a.Name) {
			return false
		}
	}
	return own
}

// above asks a resolver. Its TTLs have begun to run: the signature knows the whole.
func (r *runner) above(ctx context.Context, name zone.Name, typ zone.Type) []*zone.RRset {
	m, err := r.res.ask(ctx, name, typ)
	if err != nil {
		return nil
	}
	s, err := setIn(m.Answer, name, typ)
	if err != nil || s == nil || len(s.Signatures) == 0 || len(s.Signatures[0]) < 18 {
		return nil
	}
	d := s.Signatures[0]
	s.TTL = uint32(d[4])<<24 | uint32(d[5])<<16 | uint32(d[6])<<8 | uint32(d[7])
	return []*zone.RRset{s}
}

// settle makes the new observations of what was found and what was known. Zones
// that this run did not look at keep what they had; zones and addresses that are no
// longer configured go.
func (r *runner) settle(next, prev *zone.Observations, plans []zonePlan, wants map[zone.Name]*published, tasks []*task, chain []*zone.RRset) {
	s := newSettler(prev, r.Now, r.Config.Observe.FreshFor)
	byZone := map[zone.Name][]*task{}
	for _, t := range tasks {
		if t.kind != taskKeys {
			byZone[t.zone] = append(byZone[t.zone], t)
		}
	}
	for _, name := range r.Config.Zones() {
		i := slices.IndexFunc(plans, func(p zonePlan) bool { return p.zone == name })
		old := prev.Zone(name)
		switch {
		case i >= 0:
			next.Zones = append(next.Zones, s.zone(old, &plans[i], wants[name], byZone[name]))
		case old != nil:
			next.Zones = append(next.Zones, *old)
		}
	}
	next.Chain = s.seen(prev.Chain, chain, chainHold, keptChain)
	next.Parents = s.parents(next, prev, plans, tasks)
	s.finish(next)
}

// zone is what is known of a zone after the run.
func (s *settler) zone(old *zone.ObservedZone, p *zonePlan, want *published, tasks []*task) zone.ObservedZone {
	if old == nil {
		old = &zone.ObservedZone{}
	}
	z := zone.ObservedZone{
		Zone: p.zone, Parent: p.parent.zone, Servers: []zone.Observation{}, Delegation: []zone.Observation{},
		Unknown: slices.Concat(p.unknown, p.parent.unknown),
	}
	if want != nil {
		z.Serial, z.SerialSince = want.serial, s.now
		if old.Serial == want.serial && !old.SerialSince.IsZero() && !old.SerialSince.After(s.now) {
			z.SerialSince = old.SerialSince
		}
		for _, set := range want.apex {
			z.Published = append(z.Published, s.add(set))
		}
	}
	for _, t := range tasks {
		list, before := &z.Servers, old.Servers
		if t.kind == taskDS {
			list, before = &z.Delegation, old.Delegation
			if old.Parent != p.parent.zone {
				before = nil
			}
		}
		prev := find(before, t.target)
		switch {
		case t.done:
			*list = append(*list, s.observation(prev, t))
		case prev != nil:
			*list = append(*list, *prev)
		case t.kind == taskDS: // nobody may take the others for all
			z.Unknown = append(z.Unknown, zone.UnknownServer{Server: t.server, Parent: true, Reason: t.address.String() + " was not asked: the run was interrupted"})
			continue
		default:
			continue
		}
		if o := &(*list)[len(*list)-1]; t.kind == taskDS && !t.gone && p.parent.listed[t.server] {
			o.Named = s.now
		}
	}
	return z
}

func find(list []zone.Observation, t target) *zone.Observation {
	for i := range list {
		if t.is(list[i].Server, list[i].Address) {
			return &list[i]
		}
	}
	return nil
}
