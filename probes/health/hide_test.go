package health

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"plumb/fleet"
)

// What a workload was told comes back in no text, whole or in part, however long
// it is and wherever it is said.
func TestNoSecretComesBack(t *testing.T) {
	long := strings.Repeat("k3Y-", 38) // past every cut
	for _, secret := range []string{"hunter22", long} {
		basic := base64.StdEncoding.EncodeToString([]byte("ann:" + secret))
		const inAddress = "t0ken-of-the-address"
		page := func(r *http.Request) string {
			all := r.Header.Get("Authorization") + " " + r.URL.Query().Get("token")
			return "HTTP/1.1 503 No\r\nConnection: close\r\n\r\nbad token " + all
		}
		for name, say := range map[string]func(*http.Request) string{
			"page":   page,
			"late":   func(r *http.Request) string { return strings.Replace(page(r), "bad", strings.Repeat("x", 95), 1) },
			"broken": func(r *http.Request) string { return strings.Replace(page(r), secret[:5], secret[:5]+"\x07", 1) },
			"at the end of what is read": func(r *http.Request) string {
				return strings.Replace(page(r), "bad token", strings.Repeat("\x01", fleet.MaxText-20), 1)
			},
			"header": func(r *http.Request) string {
				return "HTTP/" + r.Header.Get("Authorization") + r.URL.RawQuery + "\r\n\r\n"
			},
			"json": func(r *http.Request) string {
				return "HTTP/1.1 400 No\r\nConnection: close\r\n\r\n" + fmt.Sprintf(`{"status":"error","errorType":"%s","error":"%s bad %[1]s"}`, r.Header.Get("Authorization"), strings.Repeat("y", 150))
			},
			"label": func(r *http.Request) string {
				return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"%s","b":"it is %[1]s"},"value":[1,"0"]}]}}`, r.Header.Get("Authorization"))
			},
		} {
			for _, user := range []string{"", "ann"} {
				for _, kind := range []fleet.HealthKind{fleet.HealthHTTP, fleet.HealthPrometheus} {
					d := open(t, kind, func(conn net.Conn) {
						if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
							fmt.Fprint(conn, say(r))
						}
					})
					c := Config{HealthSpec: spec("http://" + d.ln.Addr().String() + "/?token=" + inAddress), Username: user}
					c.Credential, c.Password = "k", func(context.Context) (string, error) { return secret, nil }
					if c.Kind = kind; kind == fleet.HealthPrometheus {
						c.Query, c.Address = "up", "http://"+d.ln.Addr().String()
					}
					_, text, o := ask(t, c)
					if o.Err != nil {
						text += " / " + o.Err.Error()
					}
					for _, x := range []string{secret, basic, inAddress} {
						if strings.Contains(text, x[:4]) {
							t.Errorf("%s, %s, user %q: %q tells of %q", name, kind, user, text, x)
						}
					}
				}
			}
		}
	}
}

// Words of the workload that are no secret stay.
func TestHiddenLeavesTheRest(t *testing.T) {
	h := hidden{"hunter22"}
	for in, want := range map[string]string{
		"key hunter22 is bad": "key (secret) is bad", "ends hunter2": "ends", "ends hun": "ends hun", "hunter in it": "hunter in it", "": "",
	} {
		if got := h.clean(in, 100); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
