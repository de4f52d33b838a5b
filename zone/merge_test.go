package zone

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A mergeRow is one row, or one corner of a row, of the merge's rules.
type mergeRow struct {
	name      string
	registry  string            // what APNIC says
	says      map[string]string // what others say
	claims    []string
	published string
	released  []Name
	stand     map[Name]Stand
	want      string // records
	notices   string // "severity code SOURCE name"
	text      string // part of some notice
}

const (
	ds256  = "1 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
	dsZero = "1 13 2 0000000000000000000000000000000000000000000000000000000000000000"
)

var jpnic = []string{"JPNIC 202.12.0.0/16"}

var mergeRows = []mergeRow{
	{
		name: "held: what its source removed, replaced or lost to another stands", claims: []string{"JPNIC 202.12.0.0/16", "KRNIC 202.13.0.0/16"},
		stand:     map[Name]Stand{testName("28.12"): {Source: "JPNIC"}, testName("29.12"): {Source: "JPNIC"}, testName("1.13"): {Source: "JPNIC", Over: true}, testName("2.13"): {Source: "JPNIC"}, testName("9.12"): {Source: "JPNIC"}},
		published: "JPNIC: 28.12 NS a.example.\nJPNIC: 29.12 NS a.example.\nJPNIC: 1.13 NS a.example.\nJPNIC: 2.13 NS a.example.",
		says:      map[string]string{"JPNIC": "29.12 NS b.example.\n29.12 NS c.example.", "KRNIC": "1.13 NS k.example.\n1.13 NS l.example.\n2.13 NS k.example.\n2.13 NS l.example."},
		want:      "JPNIC: 28.12 NS a.example. (held)\nJPNIC: 29.12 NS a.example. (held)\nJPNIC: 1.13 NS a.example. (held)\nKRNIC: 2.13 NS k.example.\nKRNIC: 2.13 NS l.example.",
	},
	{
		name: "held: a delegation above one that stands stays out, those beside it come", claims: []string{"JPNIC 202.12.0.0/16"},
		stand:     map[Name]Stand{testName("28.12"): {Source: "JPNIC"}},
		published: "JPNIC: 28.12 NS a.example.",
		registry:  "12 NS r.example.\n12 NS s.example.",
		says:      map[string]string{"JPNIC": "29.12 NS b.example.\n29.12 NS c.example."},
		want:      "JPNIC: 28.12 NS a.example. (held)\nJPNIC: 29.12 NS b.example.\nJPNIC: 29.12 NS c.example.",
		notices:   "error held APNIC 12",
		text:      "12.202.in-addr.arpa. would hide 28.12.202.in-addr.arpa., whose loss is held",
	},
	{
		name: "held: a delegation above stays out also where the source says what is published", claims: []string{"JPNIC 202.12.0.0/16"},
		stand:     map[Name]Stand{testName("28.12"): {Source: "JPNIC", Over: true}, testName("29.12"): {Source: "JPNIC", Over: true}},
		published: "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 NS b.example.",
		registry:  "12 NS r.example.\n12 NS s.example.",
		says:      map[string]string{"JPNIC": "28.12 NS a.example.\n28.12 NS b.example."},
		want:      "JPNIC: 28.12 NS a.example. (held)\nJPNIC: 28.12 NS b.example. (held)",
		notices:   "error held APNIC 12",
	},
	{
		name: "held: what its source says as published is not held", claims: []string{"JPNIC 202.12.0.0/16"},
		stand:     map[Name]Stand{testName("28.12"): {Source: "JPNIC", Over: true}},
		published: "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 NS b.example.\nJPNIC: 28.12 DS " + ds256,
		says:      map[string]string{"JPNIC": "28.12 NS b.example.\n28.12 NS a.example.\n28.12 DS " + ds256},
		want:      "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 NS b.example.\nJPNIC: 28.12 DS " + strings.ToUpper(ds256),
	},
	{
		name: "held: nothing stands that is another's or was never published", claims: []string{"JPNIC 202.12.0.0/16"},
		stand:     map[Name]Stand{testName("28.12"): {Source: "KRNIC"}, testName("29.12"): {Source: "JPNIC"}},
		published: "JPNIC: 28.12 NS a.example.",
		want:      "",
	},
	{
		name: "plain", claims: jpnic,
		says: map[string]string{"JPNIC": "28.12 NS b.example.\n28.12 NS a.example.\n28.12 DS " + ds256},
		want: "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 NS b.example.\nJPNIC: 28.12 DS " + strings.ToUpper(ds256),
	},
	{
		name: "impossible set/NS is an address, published", claims: jpnic,
		says:      map[string]string{"JPNIC": "28.12 NS 192.0.2.1.\n28.12 NS b.example.\n29.12 NS a.example.\n29.12 NS b.example."},
		published: "JPNIC: 28.12 NS old.example.",
		want:      "JPNIC: 28.12 NS old.example. (bad-ns)\nJPNIC: 29.12 NS a.example.\nJPNIC: 29.12 NS b.example.",
		notices:   "error bad-ns JPNIC 28.12",
		text:      "202-JPNIC:1: error: bad-ns: name server 192.0.2.1. of 28.12.202.in-addr.arpa.: it looks like an address; write the name of the server (RFC 1035, section 3.3.11); the delegation stands as published",
	},
	{
		name: "impossible set/NS is an address, absent", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS 192.0.2.1."},
		notices: "error bad-ns JPNIC 28.12", text: "it is not published",
	},
	{
		name: "impossible set/NS is an address under $ORIGIN", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS 192.0.2.1"},
		notices: "error bad-ns JPNIC 28.12", text: "under $ORIGIN",
	},
	{
		name: "impossible set/NS is no host name", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS ns_1.example.\n29.12 NS -a.example.\n30.12 NS *.example.\n31.12 NS ."},
		notices: "error bad-ns JPNIC 28.12\nerror bad-ns JPNIC 29.12\nerror bad-ns JPNIC 30.12\nerror bad-ns JPNIC 31.12",
	},
	{
		name: "impossible set/DS of wrong length", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS a.example.\n28.12 DS 1 8 1 0011"},
		notices: "error bad-ds JPNIC 28.12", text: "the digest has 2 octets, type 1 has 20",
	},
	{
		name: "impossible set/DS of unknown type", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS a.example.\n28.12 DS 1 8 9 0011"},
		notices: "error bad-ds JPNIC 28.12", text: "digest type 9 is not known",
	},
	{
		name: "impossible set/DS all zero", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS a.example.\n28.12 DS " + dsZero},
		notices: "error bad-ds JPNIC 28.12", text: "all zero",
	},
	{
		name: "impossible set/DS without NS", claims: jpnic,
		says:      map[string]string{"JPNIC": "28.12 DS " + ds256},
		published: "JPNIC: 28.12 NS a.example.",
		want:      "JPNIC: 28.12 NS a.example. (ds-without-ns)",
		notices:   "error ds-without-ns JPNIC 28.12",
	},
	{
		name: "impossible set/registry's own", claims: jpnic,
		registry: "28.12 DS " + ds256, says: map[string]string{"JPNIC": "28.12 NS j.example."},
		published: "APNIC: 28.12 NS a.example.",
		want:      "APNIC: 28.12 NS a.example. (ds-without-ns)",
		notices:   "error ds-without-ns APNIC 28.12\nwarning overridden JPNIC 28.12",
	},
	{
		name: "impossible set/of a source without claims holds nothing", claims: jpnic,
		says:      map[string]string{"KRNIC": "28.12 NS 1.2.3.4.", "JPNIC": "28.12 NS a.example.\n28.12 NS b.example."},
		published: "JPNIC: 28.12 NS old.example.",
		want:      "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 NS b.example.",
		notices:   "warning outside-claims KRNIC 28.12",
	},
	{
		name: "impossible set/too large", claims: jpnic,
		says:    map[string]string{"JPNIC": manyNS("28.12", 65)},
		notices: "error set-too-large JPNIC 28.12",
	},
	{
		name: "impossible set/glue missing", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS ns.28.12\n28.12 NS b.example."},
		notices: "error missing-glue JPNIC 28.12",
	},
	{
		name: "other type", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS a.example.\n28.12 NS b.example.\n28.12 TXT x\n28.12 TXT y\n29.12 TXT z\n30.12 CNAME x.example."},
		want:    "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 NS b.example.",
		notices: "warning type-ignored JPNIC 28.12\nwarning type-ignored JPNIC 29.12\nwarning type-ignored JPNIC 30.12",
		text:    "2 records of type TXT at 28.12.202.in-addr.arpa. ignored",
	},
	{
		name: "glue", claims: jpnic,
		says: map[string]string{"JPNIC": "28.12 NS ns.28.12\n28.12 NS ns.29.12\n29.12 NS a.example.\n29.12 NS 29.12\n29.12 A 192.0.2.9\n" +
			"ns.28.12 300 A 192.0.2.2\nns.28.12 400 A 192.0.2.1\nns.28.12 AAAA 2001:db8::1\nns.29.12 A 192.0.2.3\nx.28.12 A 192.0.2.4\nns.30.12 A 192.0.2.5"},
		want: "JPNIC: 28.12 NS ns.28.12\nJPNIC: 28.12 NS ns.29.12\nJPNIC: ns.28.12 A 192.0.2.1\nJPNIC: ns.28.12 A 192.0.2.2\nJPNIC: ns.28.12 AAAA 2001:db8::1\n" +
			"JPNIC: 29.12 A 192.0.2.9\nJPNIC: 29.12 NS a.example.\nJPNIC: 29.12 NS 29.12\nJPNIC: ns.29.12 A 192.0.2.3",
		notices: "info ttl-differs JPNIC ns.28.12\nwarning glue-ignored JPNIC x.28.12\nwarning glue-ignored JPNIC ns.30.12",
	},
	{
		name: "glue/below another source's delegation", claims: []string{"JPNIC 202.12.0.0/16", "KRNIC 202.13.0.0/16"},
		says:    map[string]string{"JPNIC": "28.12 NS ns.1.13\n28.12 NS b.example.\nns.1.13 A 192.0.2.1", "KRNIC": "1.13 NS a.example.\n1.13 NS b.example."},
		want:    "JPNIC: 28.12 NS b.example.\nJPNIC: 28.12 NS ns.1.13\nKRNIC: 1.13 NS a.example.\nKRNIC: 1.13 NS b.example.",
		notices: "warning glue-ignored JPNIC ns.1.13",
	},
	{
		name: "glue/kept with its delegation", claims: jpnic,
		says:      map[string]string{"JPNIC": "28.12 NS ns.28.12\nns.28.12 A 192.0.2.1\n28.12 DS " + dsZero},
		published: "JPNIC: 28.12 NS ns.28.12\nJPNIC: ns.28.12 A 192.0.2.7",
		want:      "JPNIC: 28.12 NS ns.28.12 (bad-ds)\nJPNIC: ns.28.12 A 192.0.2.7 (bad-ds)",
		notices:   "error bad-ds JPNIC 28.12",
	},
	{
		name: "name server without a place for its address", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS ns.99.12\n28.12 NS b.example."},
		want:    "JPNIC: 28.12 NS b.example.\nJPNIC: 28.12 NS ns.99.12",
		notices: "warning no-address JPNIC 28.12",
	},
	{
		name: "apex", claims: []string{"JPNIC 202.0.0.0/8"},
		says:    map[string]string{"JPNIC": "202.in-addr.arpa. NS a.example.\n202.in-addr.arpa. NS b.example."},
		notices: "warning apex JPNIC 202.in-addr.arpa.", text: "2 records of the zone's own name",
	},
	{
		name: "duplicates", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 NS a.example.\n28.12 NS b.example.\n29.12 NS a.example.\n29.12 NS b.example.\n28.12 NS a.example.\n28.12 NS b.example."},
		want:    "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 NS b.example.\nJPNIC: 29.12 NS a.example.\nJPNIC: 29.12 NS b.example.",
		notices: "info duplicate JPNIC 28.12", text: "202-JPNIC:5: info: duplicate: 2 duplicate records of 28.12",
	},
	{
		name: "single name server", claims: jpnic, says: map[string]string{"JPNIC": "28.12 NS a.example."},
		want: "JPNIC: 28.12 NS a.example.", notices: "warning single-ns JPNIC 28.12",
	},
	{
		name: "outside claims", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.13 NS a.example.", "KRNIC": "28.12 NS a.example."},
		notices: "warning outside-claims JPNIC 28.13\nwarning outside-claims KRNIC 28.12",
		text:    "policy APNIC-103, appendix",
	},
	{
		name: "outside claims/partly", claims: []string{"JPNIC 202.12.0.0/17"},
		says:    map[string]string{"JPNIC": "12 NS a.example."},
		notices: "warning outside-claims JPNIC 12",
	},
	{
		name: "outside claims/union covers", claims: []string{"JPNIC 202.12.0.0/17", "JPNIC 202.12.128.0/17"},
		says: map[string]string{"JPNIC": "12 NS a.example.\n12 NS b.example."},
		want: "JPNIC: 12 NS a.example.\nJPNIC: 12 NS b.example.",
	},
	{
		name: "outside claims/no reverse name", claims: []string{"JPNIC 202.0.0.0/8"},
		says:    map[string]string{"JPNIC": "x.12 NS a.example.\n0-127.28.12 NS a.example.\n012 NS a.example.\n203.in-addr.arpa. NS a.example."},
		notices: "warning no-range JPNIC 012\nwarning no-range JPNIC x.12\nwarning no-range JPNIC 0-127.28.12\nwarning outside-zone JPNIC 203.in-addr.arpa.",
	},
	{
		name: "outside claims/longer than a 24", claims: []string{"JPNIC 202.0.0.0/8"},
		says:    map[string]string{"JPNIC": "1.28.12 NS a.example."},
		notices: "warning below-24 JPNIC 1.28.12",
	},
	{
		name: "claims moved", claims: []string{"KRNIC 202.12.0.0/16"},
		says:      map[string]string{"JPNIC": "28.12 NS a.example."},
		published: "JPNIC: 28.12 NS a.example.",
		want:      "JPNIC: 28.12 NS a.example. (claims-moved)",
		notices:   "warning claims-moved JPNIC 28.12",
	},
	{
		name: "claims moved/and the records too", claims: []string{"KRNIC 202.12.0.0/16"},
		says:      map[string]string{"JPNIC": "28.12 NS new.example."},
		published: "JPNIC: 28.12 NS a.example.",
		want:      "JPNIC: 28.12 NS a.example. (claims-moved)",
		notices:   "warning claims-moved JPNIC 28.12",
	},
	{
		name: "claims moved/old manager withdraws", claims: []string{"KRNIC 202.12.0.0/16"},
		says:      map[string]string{"JPNIC": ""},
		published: "JPNIC: 28.12 NS a.example.",
	},
	{
		name: "claims moved/new manager asserts", claims: []string{"KRNIC 202.12.0.0/16"},
		says:      map[string]string{"JPNIC": "28.12 NS a.example.", "KRNIC": "28.12 NS k.example.\n28.12 NS l.example."},
		published: "JPNIC: 28.12 NS a.example.",
		want:      "KRNIC: 28.12 NS k.example.\nKRNIC: 28.12 NS l.example.",
		notices:   "warning outside-claims JPNIC 28.12",
	},
	{
		name: "claims moved/new manager asserts an ancestor", claims: []string{"KRNIC 202.12.0.0/16"},
		says:      map[string]string{"JPNIC": "28.12 NS a.example.", "KRNIC": "12 NS k.example.\n12 NS l.example."},
		published: "JPNIC: 28.12 NS a.example.",
		want:      "KRNIC: 12 NS k.example.\nKRNIC: 12 NS l.example.",
		notices:   "warning shadowed JPNIC 28.12",
	},
	{
		name: "claims moved/new manager asserts a descendant", claims: []string{"KRNIC 202.12.0.0/16"},
		says:      map[string]string{"JPNIC": "12 NS a.example.", "KRNIC": "28.12 NS k.example.\n28.12 NS l.example."},
		published: "JPNIC: 12 NS a.example.",
		want:      "KRNIC: 28.12 NS k.example.\nKRNIC: 28.12 NS l.example.",
		notices:   "warning outside-claims JPNIC 12",
	},
	{
		name: "claims moved/old manager asserts a descendant", claims: []string{"KRNIC 202.12.0.0/17", "JPNIC 202.12.128.0/17"},
		says:      map[string]string{"JPNIC": "12 NS a.example.\n128.12 NS a.example.\n128.12 NS b.example."},
		published: "JPNIC: 12 NS a.example.",
		want:      "JPNIC: 12 NS a.example. (claims-moved)",
		notices:   "warning claims-moved JPNIC 12\nwarning shadowed JPNIC 128.12",
	},
	{
		name: "claims moved/new manager asserts the impossible", claims: []string{"KRNIC 202.12.0.0/16"},
		says:      map[string]string{"JPNIC": "28.12 NS a.example.", "KRNIC": "28.12 NS 1.2.3.4."},
		published: "JPNIC: 28.12 NS a.example.",
		want:      "JPNIC: 28.12 NS a.example. (bad-ns)",
		notices:   "error bad-ns KRNIC 28.12\nwarning outside-claims JPNIC 28.12",
	},
	{
		name: "claims moved/released", claims: []string{"KRNIC 202.12.0.0/16"},
		says:      map[string]string{"JPNIC": "28.12 NS a.example."},
		published: "JPNIC: 28.12 NS a.example.", released: []Name{"28.12.202.in-addr.arpa."},
		notices: "warning outside-claims JPNIC 28.12",
	},
	{
		name: "same owner as a registry object", claims: jpnic,
		registry: "28.12 NS a.example.\n28.12 NS b.example.",
		says:     map[string]string{"JPNIC": "28.12 NS j.example.\n28.12 DS " + ds256, "KRNIC": "28.12 NS k.example."},
		want:     "APNIC: 28.12 NS a.example.\nAPNIC: 28.12 NS b.example.",
		notices:  "warning overridden JPNIC 28.12\nwarning outside-claims KRNIC 28.12",
	},
	{
		name: "same owner as a registry object/claimed by the registry too", claims: []string{"APNIC 202.12.28.0/24", "JPNIC 202.12.0.0/16"},
		registry: "28.12 NS a.example.\n28.12 NS b.example.",
		says:     map[string]string{"JPNIC": "28.12 NS j.example.\n29.12 NS j.example.\n29.12 NS k.example."},
		want:     "APNIC: 28.12 NS a.example.\nAPNIC: 28.12 NS b.example.\nJPNIC: 29.12 NS j.example.\nJPNIC: 29.12 NS k.example.",
		notices:  "warning overridden JPNIC 28.12",
	},
	{
		name: "dummy nserver overrides nothing", claims: jpnic,
		registry: "28.12 NS remove.this.nserver.to.enable.zone.at.apnic.net.\n28.12 DS " + ds256 + "\n12 NS remove.this.nserver.to.enable.zone.at.apnic.net.",
		says:     map[string]string{"JPNIC": "28.12 NS j.example.\n28.12 NS k.example."},
		want:     "JPNIC: 28.12 NS j.example.\nJPNIC: 28.12 NS k.example.",
		notices:  "info inactive APNIC 12\ninfo inactive APNIC 28.12",
	},
	{
		name: "ancestor/registry over NIR", claims: jpnic,
		registry:  "12 NS a.example.\n12 NS b.example.",
		says:      map[string]string{"JPNIC": "28.12 NS j.example.\n28.12 NS k.example."},
		published: "JPNIC: 28.12 NS j.example.",
		want:      "APNIC: 12 NS a.example.\nAPNIC: 12 NS b.example.",
		notices:   "warning overridden JPNIC 28.12",
	},
	{
		name: "ancestor/NIR over registry, published", claims: jpnic,
		registry:  "28.12 NS a.example.\n28.12 NS b.example.",
		says:      map[string]string{"JPNIC": "12 NS new.example.\n12 NS k.example."},
		published: "JPNIC: 12 NS j.example.",
		want:      "JPNIC: 12 NS j.example. (over-registry)",
		notices:   "error hidden APNIC 28.12\nerror over-registry JPNIC 12",
	},
	{
		name: "ancestor/NIR over registry, no earlier state", claims: jpnic,
		registry: "28.12 NS a.example.\n28.12 NS b.example.",
		says:     map[string]string{"JPNIC": "12 NS j.example.\n12 NS k.example."},
		want:     "APNIC: 28.12 NS a.example.\nAPNIC: 28.12 NS b.example.",
		notices:  "error over-registry JPNIC 12",
	},
	{
		name: "ancestor/NIR over registry, which was published", claims: jpnic,
		registry:  "28.12 NS a.example.\n28.12 NS b.example.",
		says:      map[string]string{"JPNIC": "12 NS j.example.\n12 NS k.example."},
		published: "APNIC: 28.12 NS a.example.",
		want:      "APNIC: 28.12 NS a.example.\nAPNIC: 28.12 NS b.example.",
		notices:   "error over-registry JPNIC 12",
	},
	{
		name: "ancestor/NIR over registry, which gave the ancestor up", claims: jpnic,
		registry:  "28.12 NS a.example.\n28.12 NS b.example.",
		says:      map[string]string{"JPNIC": "12 NS j.example.\n12 NS k.example."},
		published: "APNIC: 12 NS a.example.",
		want:      "APNIC: 28.12 NS a.example.\nAPNIC: 28.12 NS b.example.",
		notices:   "error over-registry JPNIC 12",
		text:      "it is not published",
	},
	{
		name: "ancestor/NIR over an impossible set of the registry", claims: jpnic,
		registry: "28.12 NS 192.0.2.1.", says: map[string]string{"JPNIC": "12 NS j.example.\n12 NS k.example."},
		notices: "error bad-ns APNIC 28.12\nerror over-registry JPNIC 12",
	},
	{
		name: "ancestor/same source", claims: jpnic,
		says:    map[string]string{"JPNIC": "12 NS j.example.\n12 NS k.example.\n28.12 NS j.example.\n28.12 NS k.example."},
		want:    "JPNIC: 12 NS j.example.\nJPNIC: 12 NS k.example.",
		notices: "warning shadowed JPNIC 28.12",
	},
	{
		name: "claims overlap", claims: []string{"JPNIC 202.12.0.0/16", "KRNIC 202.12.28.0/23"},
		says: map[string]string{
			"JPNIC": "28.12 NS new.example.\n28.12 NS b.example.\n30.12 NS a.example.\n30.12 NS b.example.",
			"KRNIC": "29.12 NS k.example.\n29.12 NS l.example.",
			"TWNIC": "29.12 NS t.example.",
		},
		published: "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 DS " + ds256,
		want:      "JPNIC: 28.12 NS a.example. (claims-overlap)\nJPNIC: 28.12 DS " + strings.ToUpper(ds256) + " (claims-overlap)\nJPNIC: 30.12 NS a.example.\nJPNIC: 30.12 NS b.example.",
		notices:   "error claims-overlap APNIC \nerror claims-overlap JPNIC 28.12\nerror claims-overlap KRNIC 29.12\nwarning outside-claims TWNIC 29.12",
		text:      "claims overlap: 202.12.28.0/23 by JPNIC and KRNIC",
	},
	{
		name: "claims overlap/nobody asserts it any more", claims: []string{"JPNIC 202.12.0.0/16", "KRNIC 202.12.28.0/24"},
		says:      map[string]string{"JPNIC": "29.12 NS a.example.\n29.12 NS b.example."},
		published: "JPNIC: 28.12 NS a.example.\nJPNIC: 29.12 NS a.example.\nJPNIC: 30.12 NS a.example.",
		want:      "JPNIC: 28.12 NS a.example. (claims-overlap)\nJPNIC: 29.12 NS a.example.\nJPNIC: 29.12 NS b.example.",
		notices:   "error claims-overlap APNIC \nerror claims-overlap JPNIC 28.12",
	},
	{
		name: "claims overlap/the registry overrides", claims: []string{"JPNIC 202.12.0.0/16", "KRNIC 202.12.28.0/24"},
		registry:  "28.12 NS r.example.\n28.12 NS s.example.",
		says:      map[string]string{"JPNIC": "28.12 NS a.example."},
		published: "JPNIC: 28.12 NS a.example.",
		want:      "APNIC: 28.12 NS r.example.\nAPNIC: 28.12 NS s.example.",
		notices:   "error claims-overlap APNIC \nwarning overridden JPNIC 28.12",
	},
	{
		name: "claims overlap/the registry gives up its own", claims: []string{"JPNIC 202.12.0.0/16", "KRNIC 202.12.28.0/23"},
		says:      map[string]string{"JPNIC": "28.12 NS a.example."},
		published: "APNIC: 28.12 NS r.example.\nAPNIC: 29.12 NS r.example.",
		notices:   "error claims-overlap APNIC \nerror claims-overlap JPNIC 28.12",
	},
	{
		name: "two sources, same owner", claims: []string{"JPNIC 202.12.0.0/16", "KRNIC 202.13.0.0/16"},
		says:    map[string]string{"JPNIC": "1.13 NS j.example.", "KRNIC": "1.13 NS k.example.\n1.13 NS l.example."},
		want:    "KRNIC: 1.13 NS k.example.\nKRNIC: 1.13 NS l.example.",
		notices: "warning outside-claims JPNIC 1.13",
	},
	{
		name: "RFC 2317", claims: jpnic,
		registry: "0-127.28.12 NS a.example.\n0-127.28.12 NS b.example.\n128/25.28.12 NS a.example.\n128/25.28.12 NS b.example.\n1.28.12 CNAME 1.0-127.28.12\n2.28.12 CNAME 2.0-127.28.12\n0-255.28.12 NS a.example.\n28.12 CNAME x.example.",
		want: "APNIC: 0-127.28.12 NS a.example.\nAPNIC: 0-127.28.12 NS b.example.\nAPNIC: 1.28.12 CNAME 1.0-127.28.12\n" +
			"APNIC: 128/25.28.12 NS a.example.\nAPNIC: 128/25.28.12 NS b.example.\nAPNIC: 2.28.12 CNAME 2.0-127.28.12",
		notices: "warning no-range APNIC 0-255.28.12\nwarning type-ignored APNIC 28.12",
	},
	{
		name:     "RFC 2317/with the 24 itself",
		registry: "28.12 NS a.example.\n28.12 NS b.example.\n0-127.28.12 NS c.example.\n1.28.12 CNAME 1.0-127.28.12",
		want:     "APNIC: 28.12 NS a.example.\nAPNIC: 28.12 NS b.example.",
		notices:  "warning single-ns APNIC 0-127.28.12\nwarning classless-hidden APNIC 28.12", text: "2 names in it (RFC 2317)",
	},
	{
		name:     "RFC 2317/no glue below an alias",
		registry: "0-127.28.12 NS ns.1.28.12\n0-127.28.12 NS b.example.\n1.28.12 CNAME x.example.\nns.1.28.12 A 192.0.2.1",
		want:     "APNIC: 0-127.28.12 NS b.example.\nAPNIC: 0-127.28.12 NS ns.1.28.12\nAPNIC: 1.28.12 CNAME x.example.",
		notices:  "warning glue-ignored APNIC ns.1.28.12\nwarning no-address APNIC 0-127.28.12",
	},
	{
		name: "RFC 2317/CNAME beside others", registry: "1.28.12 CNAME a.example.\n1.28.12 CNAME b.example.\n2.28.12 CNAME a.example.\n2.28.12 NS b.example.",
		notices: "error cname-conflict APNIC 1.28.12\nerror cname-conflict APNIC 2.28.12",
	},
	{
		name: "TTL of a set", claims: jpnic,
		says:    map[string]string{"JPNIC": "28.12 300 NS a.example.\n28.12 600 NS b.example."},
		want:    "JPNIC: 28.12 NS a.example.\nJPNIC: 28.12 NS b.example.",
		notices: "info ttl-differs JPNIC 28.12",
	},
}

func manyNS(owner string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s NS ns%d.example.\n", owner, i)
	}
	return b.String()
}

func (r *mergeRow) input(t testing.TB) MergeInput {
	in := MergeInput{Apex: testApex, Registry: "APNIC", Claims: claimsOf(t, r.claims...), Released: map[Name]bool{}}
	if r.registry != "" {
		in.Fragments = append(in.Fragments, testFragment(t, "APNIC", r.registry))
	}
	for source, text := range r.says {
		in.Fragments = append(in.Fragments, testFragment(t, source, text))
	}
	if r.published != "" {
		in.Published = testZone(t, r.published)
	}
	for _, n := range r.released {
		in.Released[n] = true
	}
	in.Stand = r.stand
	return in
}

func TestMerge(t *testing.T) {
	for _, r := range mergeRows {
		t.Run(r.name, func(t *testing.T) {
			in := r.input(t)
			z, notices := Merge(in)
			if d := cmp.Diff(lines(r.want), show(t, z)); d != "" {
				t.Errorf("zone (-want +got):\n%s", d)
			}
			var got, texts []string
			for _, n := range notices {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", n.Severity, n.Code, n.Source, strings.TrimSuffix(string(n.Name), ".202.in-addr.arpa."))))
				texts = append(texts, n.String())
			}
			want := lines(r.notices)
			slices.Sort(want)
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("notices (-want +got):\n%s\n%s", d, strings.Join(texts, "\n"))
			}
			if !strings.Contains(strings.Join(texts, "\n"), r.text) {
				t.Errorf("no notice says %q:\n%s", r.text, strings.Join(texts, "\n"))
			}
			for _, n := range notices {
				if n.Name != "" && n.Pos.Line == 0 {
					t.Errorf("notice without a line: %v", n)
				}
			}
			in.Published, in.Stand = ZoneFromKept(testApex, z.KeptRecords()), StandsOf(z.KeptRecords())
			again, _ := Merge(in)
			if d := cmp.Diff(z, again); d != "" {
				t.Errorf("replayed from what was kept (-built +replayed):\n%s", d)
			}
		})
	}
}

// A published zone that hides a delegation, which none of ours does, does not
// hand it on.
func TestMergeRepairsPublished(t *testing.T) {
	r := mergeRow{claims: jpnic, says: map[string]string{"JPNIC": "12 NS 192.0.2.1."}, published: "JPNIC: 12 NS a.example.\nJPNIC: 28.12 NS b.example.\nJPNIC: ns.28.12 A 192.0.2.1"}
	z, _ := Merge(r.input(t))
	want := lines("JPNIC: 12 NS a.example. (bad-ns)\nJPNIC: ns.28.12 A 192.0.2.1 (bad-ns)")
	if d := cmp.Diff(want, show(t, z)); d != "" {
		t.Errorf("zone (-want +got):\n%s", d)
	}
}

// Kept records keep their source, file, digest and line.
func TestMergeKeepsPosition(t *testing.T) {
	r := mergeRow{claims: jpnic, says: map[string]string{"JPNIC": "28.12 NS 192.0.2.1."}, published: "JPNIC: 28.12 NS old.example."}
	z, _ := Merge(r.input(t))
	kept := z.KeptRecords()
	if len(kept) != 1 || kept[0].Line != 100 || kept[0].Input.SHA256 != strings.Repeat("0", 64) || kept[0].Why != "bad-ns" {
		t.Errorf("kept %+v", kept)
	}
	if len(z.Inputs) != 2 {
		t.Errorf("inputs %+v, want the present file and the old one", z.Inputs)
	}
}

// A file that is input now and was when something was published is one input,
// with what is known of it from either.
func TestMergeInputs(t *testing.T) {
	r := mergeRow{claims: jpnic, says: map[string]string{"JPNIC": "28.12 NS 192.0.2.1."}, published: "JPNIC: 28.12 NS old.example."}
	in := r.input(t)
	old := &in.Published.Inputs[0]
	old.SHA256, old.Signer, old.Seen = in.Fragments[0].SHA256, "ABCD JPNIC", time.Unix(1, 0)
	z, _ := Merge(in)
	want := []Input{{Source: "JPNIC", File: "202-JPNIC", SHA256: old.SHA256, Size: in.Fragments[0].Size, Signer: "ABCD JPNIC", Seen: time.Unix(1, 0)}}
	if d := cmp.Diff(want, z.Inputs); d != "" {
		t.Errorf("inputs (-want +got):\n%s", d)
	}
}

func TestMergeTTL(t *testing.T) {
	r := mergeRow{claims: jpnic, says: map[string]string{"JPNIC": "28.12 300 NS a.example.\n28.12 600 NS b.example.\n29.12 99999 NS a.example.\n30.12 7000 NS ns.30.12\n30.12 6000 NS ns.30.12\nns.30.12 100 A 192.0.2.1"}}
	in := r.input(t)
	in.Apex.TTL = TTL{FromSource: true, Fixed: 86400, Min: 400, Max: 9000}
	z, _ := Merge(in)
	var got []uint32
	for _, e := range z.Entries {
		got = append(got, e.TTL)
	}
	if want := []uint32{400, 400, 9000, 6000, 400}; !slices.Equal(got, want) {
		t.Errorf("TTLs %v, want %v", got, want)
	}
}

func TestMergeSecondFile(t *testing.T) {
	a, b := testFragment(t, "JPNIC", "28.12 NS a.example.\n28.12 NS b.example."), testFragment(t, "JPNIC", "29.12 NS a.example.")
	z, notices := Merge(MergeInput{Apex: testApex, Registry: "APNIC", Claims: claimsOf(t, jpnic...), Fragments: []*Fragment{a, b}})
	y, _ := Merge(MergeInput{Apex: testApex, Registry: "APNIC", Claims: claimsOf(t, jpnic...), Fragments: []*Fragment{b, a}})
	if len(notices) == 0 || !slices.ContainsFunc(notices, func(n Notice) bool { return n.Code == "second-file" && n.Severity == Alarm }) || cmp.Diff(z, y) != "" {
		t.Errorf("two files of one source: %v", notices)
	}
}

// A source with something wrong in every line is told of so many and no more, with
// the gravest of the rest; others are told as ever.
func TestMergeMoreNotices(t *testing.T) {
	bad := &Fragment{Source: "KRNIC", Zone: testApex.Origin, File: "202-KRNIC"}
	for i := range maxNotices + 50 {
		r := testRecord(t, fmt.Sprintf("%d.%d NS 192.0.2.1.", i/256, i%256))
		bad.Records = append(bad.Records, Located{r, uint32(i + 1)})
	}
	in := MergeInput{
		Apex: testApex, Registry: "APNIC", Claims: claimsOf(t, "KRNIC 202.0.0.0/8"),
		Fragments: []*Fragment{bad, testFragment(t, "TWNIC", "1.1 NS a.example.")},
	}
	_, notices := Merge(in)
	count := map[string]int{}
	for _, n := range notices {
		count[n.Source+" "+n.Code]++
		if n.Code == codeMore && (n.Severity != Error || !strings.HasPrefix(n.Text, "50 more notices are not shown")) {
			t.Errorf("%v", n)
		}
	}
	want := map[string]int{"KRNIC bad-ns": maxNotices, "KRNIC more-notices": 1, "TWNIC outside-claims": 1}
	if d := cmp.Diff(want, count); d != "" {
		t.Error(d)
	}
}

// Every code that the merge can give is documented, kept codes as such, and
// docs/notices.md says the same.
func TestNoticesDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/notices.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, d := range Codes() {
		kept := ""
		if d.Kept {
			kept = "yes"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", d.Code, d.Severity, kept, d.Meaning, d.Remedy)
	}
	if !strings.Contains(string(doc), "\n"+table.String()) {
		t.Errorf("docs/notices.md does not hold this table:\n%s", table.String())
	}
	given := map[string]bool{"second-file": true, "more-notices": true} // tests of their own
	for _, r := range mergeRows {
		z, notices := Merge(r.input(t))
		for _, n := range notices {
			given[n.Code] = true
		}
		for _, k := range z.KeptRecords() {
			if !slices.ContainsFunc(Codes(), func(d CodeDoc) bool { return d.Code == k.Why && d.Kept }) {
				t.Errorf("%s is kept under %s, which is not documented as keeping", k.Name, k.Why)
			}
		}
	}
	for _, d := range Codes() {
		if !given[d.Code] {
			t.Errorf("no row of TestMerge gives %s", d.Code)
		}
	}
}
