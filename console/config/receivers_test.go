package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"plumb/console/notify"
)

const receiversHead = `
ssh: {users: [{name: ann, role: admin, keys: ["` + testKey + `"]}]}
`

func receiversOf(t *testing.T, list string, files map[string]string) ([]notify.Config, error) {
	t.Helper()
	f, err := parse(t, receiversHead+"alerts: {receivers: "+list+"}", files)
	if err != nil {
		return nil, err
	}
	return f.Receivers, nil
}

// TestReceivers reads one of each kind, and fetches a secret where it is.
func TestReceivers(t *testing.T) {
	list, err := receiversOf(t, `[
  {name: hook, timeout: 3s, heartbeat: 1m, subject: "{{.Severity}} {{.Worst.Summary}}", text: "a\nb {{label .Labels \"team\"}}", webhook: {url: "https://x.example/y", secret_file: s, username: u, password_file: s}},
  {name: am, alertmanager: {url: ["http://a:9093", "http://b:9093"], bearer_file: s, link: "https://plumb.example"}},
  {name: pd, pagerduty: {routing_key_file: s, url: "https://events.eu.pagerduty.com/v2/enqueue"}},
  {name: chat, slack: {url_file: s, channel: "#ops"}},
  {name: mail, smtp: {address: mail.example, from: "plumb <plumb@example.org>", to: [a@example.org, b@example.org], username: u, password_file: s}},
  {name: log, syslog: {server: "tls://log.example", facility: 16, tls: {server_name: log}}},
  {name: prog, exec: {command: [pass, x], env: [HOME]}},
  {name: nobody, none: {}}]`, map[string]string{"s": "hush\n"})
	if err != nil {
		t.Fatal(err)
	}
	got, seen := "", map[string]bool{}
	for _, c := range list {
		got += c.Name + ":" + c.Kind.Kind() + " "
		if c.Revision == "" || seen[c.Revision] {
			t.Errorf("%s has revision %q", c.Name, c.Revision)
		}
		seen[c.Revision] = true
	}
	if got != "hook:webhook am:alertmanager pd:pagerduty chat:slack mail:smtp log:syslog prog:exec nobody:none " {
		t.Error(got)
	}
	if h := list[0]; h.Timeout != 3*time.Second || h.Heartbeat != time.Minute || h.Subject == "" || !strings.Contains(h.Text, "\n") {
		t.Errorf("%+v", h)
	}
	if m := list[4].Kind.(*notify.SMTP); m.Address != "mail.example:587" || len(m.To) != 2 {
		t.Errorf("%+v", m)
	}
	if s := fmt.Sprintf("%v %+v", list[2].Kind, list); strings.Contains(s, "hush") {
		t.Errorf("a secret in %s", s)
	}
}

// A receiver that did not change has the revision it had; one that did, or whose
// secret's file did, has another.
func TestReceiverRevisions(t *testing.T) {
	revision := func(text, secret string) string {
		t.Helper()
		list, err := receiversOf(t, "[{name: a, webhook: {"+text+"}}]", map[string]string{"s": secret, "ca": ""})
		if err != nil {
			t.Fatal(err)
		}
		return list[0].Revision
	}
	first := revision(`url: "https://x", secret_file: s`, "one")
	if revision(`url: "https://x", secret_file: s`, "one") != first {
		t.Error("it changes by itself")
	}
	if revision(`url: "https://y", secret_file: s`, "one") == first || revision(`url: "https://x", secret_file: s`, "three") == first {
		t.Error("it does not change with what it is of")
	}
}

func TestWrongReceivers(t *testing.T) {
	for text, want := range map[string]string{
		`{name: a}`: "does not say how it is told",
		`{name: a, none: {}, exec: {command: [pass]}}`:                      "in more than one way",
		`{name: a, webhok: {url: "http://x"}}`:                              "did you mean `webhook`",
		`{name: a, webhook: {ulr: "http://x"}}`:                             "did you mean `url`",
		`{name: a, webhook: {url: "ftp://x"}}`:                              "want http://HOST",
		`{name: a, webhook: {url: "http://u:pw@x"}}`:                        "does not stand in an address",
		`{name: a, webhook: {url: "http://x", secret: hush}}`:               "unknown key `secret`",
		`{name: a, webhook: {url: "http://x", secret_env: NOT_SET_AT_ALL}}`: "is not set",
		`{name: a, webhook: {url: "http://x", username: u}}`:                "no password",
		`{name: a, webhook: {url: "http://x", tls: {ca: nowhere}}}`:         "tls.ca",
		`{name: a, webhook: {url: "http://x", tls: {cert: s}}}`:             "go together",
		`{name: a, webhook: {url: "http://x", tls: {cert: s, key: s}}}`:     "tls.cert",
		`{name: a, heartbeat: 1s, webhook: {url: "http://x"}}`:              "too often",
		`{name: a, heartbeat: 1m, pagerduty: {routing_key_file: s}}`:        "would call people",
		`{name: a, timeout: 1h, webhook: {url: "http://x"}}`:                "timeout",
		`{name: a, subject: "{{.Sumary}}", webhook: {url: "http://x"}}`:     "subject: ",
		`{name: a, subject: "{{", webhook: {url: "http://x"}}`:              "subject: ",
		`{name: a, text: "{{.Labels.tema}}", webhook: {url: "http://x"}}`:   "tema",
		`{name: a, slack: {url: "https://hooks.slack.com/x"}}`:              "unknown key `url`",
		`{name: a, slack: {}}`:                                              "has no url",
		`{name: a, pagerduty: {}}`:                                          "routing key",
		`{name: a, alertmanager: {}}`:                                       "has no url",
		`{name: a, smtp: {address: mail.example, from: x, to: [a@b.c]}}`:    "from: want",
		`{name: a, smtp: {address: mail.example, from: a@b.c}}`:             "nobody to write to",
		`{name: a, syslog: {server: log.example}}`:                          "want udp",
		`{name: a, syslog: {server: "udp://log", facility: 99}}`:            "facility",
		`{name: a, exec: {command: [/no/such/program]}}`:                    "no program",
		`{name: "a b", none: {}}`:                                           "without blanks",
	} {
		_, err := receiversOf(t, "["+text+"]", map[string]string{"s": "hush"})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "plumb.yaml:") {
			t.Errorf("%s: want %q, got %v", text, want, err)
		}
		if err != nil && strings.Contains(err.Error(), "hush") && !strings.Contains(text, "hush") {
			t.Errorf("a secret in %v", err)
		}
	}
}
