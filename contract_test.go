package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// contract is what scripts may rely on: the fields of each verb, with "?" where
// null is allowed. Letters say what a field holds: s text, n number, i whole
// number, b boolean, t time, l list, o object.
var contract = map[string]string{
	"status":    "state:s totals:o alerts:o drift_open:i blind:i oldest_s:i?",
	"regions":   "name:s state:s devices:i racks:i sites:i power_w:n? alerts:i drift_open:i",
	"racks":     "id:s region:s site:s row:s units:i free_units:i power_w:n? feeds:l state:s devices:i alerts:i",
	"devices":   "id:s kind:s name:s owner:s tenant:s env:s region:s site:s rack:s unit:n? height:n? model:s serial:s firmware:s state:s power:s maintenance:b drift_open:i blind_since:t? seen_at:t? age_s:i? reasons:l",
	"device":    "id:s kind:s name:s owner:s tenant:s env:s region:s site:s rack:s unit:n? height:n? model:s serial:s firmware:s state:s power:s maintenance:b drift_open:i blind_since:t? seen_at:t? age_s:i? reasons:l facts:o tables:o tags:o outlets:l findings:l",
	"sensors":   "device:s id:s name:s class:s value:n? unit:s state:s limits:o at:t?",
	"ports":     "device:s index:i name:s alias:s descr:s type:s speed_bps:i? mtu:i mac:s admin:s oper:s in_bps:n? out_bps:n? in_octets:i? out_octets:i? in_errors:i? out_errors:i? in_discards:i? out_discards:i? vlan:i? neighbor:s?",
	"links":     "from:s to:s kind:s source:s evidence:s since:t? state:s",
	"instances": "id:s name:s cloud:s region:s zone:s type:s state:s run_state:s host:s placement_group:s service:s launched_at:t? tags:o",
	"services":  "id:s state:s replicas:i floor:i zones:i hosts:i racks:i opacity:n?",
	"drift":     "id:s target:s facet:s kind:s class:s baselines:l observed:s severity:s confidence:s since:t age_s:i state:s who:s why:s",
	"alerts":    "id:s rule:s target:s state:s severity:s since:t summary:s held_by:s acked_by:s silenced_by:s labels:o",
	"notify":    "name:s kind:s state:s waiting:i oldest_s:i? last_ok:t? sent:i retried:i failed:i last_error:s",
	"events":    "id:s at:t target:s source:s type:s text:s severity:s",
	"faults":    "name:s target:s since:t cause:s expect:s",
	"jobs":      "id:s action:s targets:l state:s by:s approved_by:s reason:s plan:s steps:l began:t ended:t?",
	"audit":     "seq:i at:t who:s from:s action:s target:s outcome:s reason:s hash:s prev:s",
	"series":    "at:t value:n? min:n? max:n? count:i",
	"who":       "user:s role:s from:s kind:s view:s since:t idle_s:i",
	"help":      "verb:s args:s help:s role:s",
}

// words are the only values a field may have.
var words = map[string]string{
	"state": "ok warn crit unknown off", "severity": "info warn crit", "source:links": "intended observed both", "source:events": "sel trap cloud plumb",
	"power": "on off unknown", "kind:devices": "server switch router pdu ups other", "kind:links": "data power mount host serves",
	"state:drift": "open accepted waived ignored reverted gone", "kind:drift": "firmware config cabling security performance inventory",
	"state:alerts": "pending firing resolved", "state:notify": "ok failing idle gone", "class:drift": "missing unmanaged changed moved unknown", "confidence": "low medium high",
	"outcome": "begun done failed unknown denied refused", "state:jobs": "proposed approved running accepted verified failed stalled stopped unknown refused expired cancelled",
}

// flat are the verbs that print one object.
var flat = map[string]bool{"status": true, "device": true}

// cmdContract is: contract ROLE VERB...  It runs the verb as JSON, NDJSON, CSV
// and Markdown and holds what it prints against the contract.
func cmdContract(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || neg {
		ts.Fatalf("usage: contract ROLE VERB...")
	}
	verb := args[1]
	run := func(format string) string {
		out, errOut, err := sshRun(ts.Getenv("SSH"), filepath.Join(ts.Getenv("DB"), "keys"), args[0], strings.Join(args[1:], " ")+" --"+format)
		var stop interface{ ExitStatus() int }
		if err != nil && (verb != "status" || !asExit(err, &stop)) {
			ts.Fatalf("%s --%s: %v\n%s", verb, format, err, errOut)
		}
		return out
	}
	items := itemsOf(ts, verb, run("json"))
	if len(items) == 0 {
		ts.Fatalf("%s: nothing to hold against the contract", verb)
	}
	for _, x := range items {
		for _, f := range strings.Fields(contract[verb]) {
			name, kind, _ := strings.Cut(f, ":")
			if why := wrong(verb, name, kind, x); why != "" {
				ts.Fatalf("%s: %s: %s\n%s", verb, name, why, mustJSON(x))
			}
		}
	}
	if !flat[verb] {
		moves := verb == "who" || verb == "audit" || verb == "events" // each look is one line more
		n := strings.Count(run("ndjson"), "\n")
		for range 5 { // a fleet lives: between two looks something may come or go
			if n == len(items) || moves {
				break
			}
			items = itemsOf(ts, verb, run("json"))
			if n != len(items) {
				n = strings.Count(run("ndjson"), "\n")
			}
		}
		if n != len(items) && !moves {
			ts.Fatalf("%s: %d lines of NDJSON for %d items", verb, n, len(items))
		}
	}
	rows, err := csv.NewReader(strings.NewReader(run("csv"))).ReadAll()
	if err != nil || len(rows) < 2 {
		ts.Fatalf("%s: CSV: %d rows, %v", verb, len(rows), err)
	}
	if md := run("md"); !strings.HasPrefix(md, "| ") || !strings.Contains(md, "\n| --- |") {
		ts.Fatalf("%s: not a Markdown table:\n%.200s", verb, md)
	}
}

func asExit(err error, to *interface{ ExitStatus() int }) bool {
	e, ok := err.(interface{ ExitStatus() int })
	*to = e
	return ok
}

func itemsOf(ts *testscript.TestScript, verb, out string) []map[string]any {
	d := json.NewDecoder(strings.NewReader(out))
	d.UseNumber()
	var head map[string]any
	if err := d.Decode(&head); err != nil {
		ts.Fatalf("%s: %v in %.200s", verb, err, out)
	}
	if fmt.Sprint(head["schema"]) != "1" || wrong(verb, "at", "t", head) != "" {
		ts.Fatalf("%s: schema %v at %v", verb, head["schema"], head["at"])
	}
	if flat[verb] {
		return []map[string]any{head}
	}
	list, ok := head["items"].([]any)
	if !ok {
		ts.Fatalf("%s: items is no list", verb)
	}
	var items []map[string]any
	for _, x := range list {
		items = append(items, x.(map[string]any))
	}
	return items
}

var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)

// wrong says why a field is not what the contract promises; "" when it is.
func wrong(verb, name, kind string, x map[string]any) string {
	v, there := x[name]
	switch {
	case !there:
		return "missing"
	case v == nil && !strings.HasSuffix(kind, "?"):
		return "null"
	case v == nil:
		return ""
	}
	ok := false
	switch kind[0] {
	case 's':
		_, ok = v.(string)
	case 'b':
		_, ok = v.(bool)
	case 'l':
		_, ok = v.([]any)
	case 'o':
		_, ok = v.(map[string]any)
	case 'n':
		_, ok = v.(json.Number)
	case 'i':
		var n json.Number
		n, ok = v.(json.Number)
		ok = ok && !strings.ContainsAny(n.String(), ".eE")
	case 't':
		s, _ := v.(string)
		at, err := time.Parse(time.RFC3339, s)
		ok = err == nil && rfc3339.MatchString(s) && at.Year() > 2000
	}
	if !ok {
		return fmt.Sprintf("%#v is not %s", v, kind)
	}
	allowed := words[name+":"+verb]
	if allowed == "" {
		allowed = words[name]
	}
	if s, isText := v.(string); isText && allowed != "" && !strings.Contains(" "+allowed+" ", " "+s+" ") {
		return fmt.Sprintf("%q is none of %s", s, allowed)
	}
	if text := mustJSON(v); strings.ContainsAny(text, "\x1b\x00\u009b") || strings.Contains(text, `\u001b`) {
		return "a control character reached the output"
	}
	return ""
}

func mustJSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// cmdChain is: chain ROLE  It computes the audit chain anew from `audit --json`
// alone, as anybody outside could: maps encode with sorted keys, which for
// these keys and values is what RFC 8785 asks for.
func cmdChain(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: chain ROLE")
	}
	out, errOut, err := sshRun(ts.Getenv("SSH"), filepath.Join(ts.Getenv("DB"), "keys"), args[0], "audit --json")
	if err != nil {
		ts.Fatalf("audit: %v\n%s", err, errOut)
	}
	prev := strings.Repeat("0", 64)
	for i, e := range itemsOf(ts, "audit", out) {
		hash := e["hash"]
		if e["prev"] != prev || fmt.Sprint(e["seq"]) != fmt.Sprint(i+1) {
			ts.Fatalf("entry %d follows %v and not %s", i+1, e["prev"], prev)
		}
		delete(e, "hash")
		delete(e, "prev")
		sum := sha256.Sum256([]byte(prev + "\n" + mustJSON(e)))
		if prev = hex.EncodeToString(sum[:]); prev != hash {
			ts.Fatalf("entry %d: hash %v, computed %s over %s", i+1, hash, prev, mustJSON(e))
		}
	}
}
