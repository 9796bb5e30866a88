package openstack

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds what a client may send.
const maxBody = 64 << 10

// request is one call on its way through a service.
type request struct {
	*http.Request
	call   Call
	path   []string // call.Path cut at its slashes
	grant  grant
	region *Region
	minor  int // negotiated microversion 2.minor or 1.minor
	now    time.Time
	id     string
}

// reply is an answer before it is written. A nil body is sent without one.
type reply struct {
	status int
	body   any
	header map[string]string
}

func ok(body any) reply { return reply{status: http.StatusOK, body: body} }

// service is one API of the cloud.
type service interface {
	open(path []string) bool           // may be called without a token
	negotiate(r *request) *apiError    // sets r.minor
	serve(r *request) (reply, error)   // an *apiError, or nil
	fail(r *request, e apiError) any   // the error in the service's own shape
	headers(r *request, h http.Header) // of every answer
}

// apiError is a refusal: an HTTP status and what a person reads.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

func refuse(status int, message string) *apiError { return &apiError{status, message} }

var errNotFound = refuse(http.StatusNotFound, "The resource could not be found.")

// routes takes a request through fault, token, version, service and writing.
func (s *Server) routes() http.Handler {
	services := map[string]service{
		"identity":  identity{s},
		"compute":   compute{s},
		"placement": placement{s},
		"network":   network{s},
		"image":     image{s},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		// Read whole, because net/http notices that a client went away only
		// once nothing of its request is left to read.
		body, err := io.ReadAll(http.MaxBytesReader(w, hr.Body, maxBody))
		if err != nil {
			body = nil // refused as malformed by whoever wants it
		}
		hr.Body = io.NopCloser(bytes.NewReader(body))
		r := s.locate(hr)
		svc := services[r.call.Service]
		f := s.cfg.Fault(r.call)
		if !wait(hr, f.Delay) {
			return
		}
		rep := s.answer(svc, r, f)
		h := w.Header()
		h.Set("X-Openstack-Request-Id", r.id)
		svc.headers(r, h)
		for k, v := range rep.header {
			h.Set(k, v)
		}
		write(w, rep, f)
	})
}

// locate finds service, region and the path below the service's root. Identity
// is the root of the host; the others are /SERVICE/REGION/...
func (s *Server) locate(hr *http.Request) *request {
	r := &request{Request: hr, now: s.now(), id: requestID()}
	parts := strings.FieldsFunc(hr.URL.Path, func(c rune) bool { return c == '/' })
	r.call = Call{Service: "identity", Method: hr.Method, Query: hr.URL.RawQuery}
	if len(parts) >= 2 && regional[parts[0]] {
		r.call.Service, r.call.Region, parts = parts[0], parts[1], parts[2:]
	}
	r.path = parts
	r.call.Path = "/" + strings.Join(parts, "/")
	return r
}

// regional are the services that there is one of in every region.
var regional = map[string]bool{"compute": true, "placement": true, "network": true, "image": true}

func (s *Server) answer(svc service, r *request, f Fault) reply {
	if f.Body != nil {
		return ok(json.RawMessage(f.Body))
	}
	rep, err := s.carryOut(svc, r, f)
	if err == nil {
		return rep
	}
	e, known := err.(*apiError)
	if !known {
		e = refuse(http.StatusInternalServerError, "Unexpected API Error. "+err.Error())
	}
	rep = reply{status: e.status, body: svc.fail(r, *e), header: map[string]string{}}
	if e.status == http.StatusUnauthorized {
		rep.header["WWW-Authenticate"] = `Keystone uri="` + s.base + `/v3"`
	}
	if f.RetryAfter > 0 {
		rep.header["Retry-After"] = strconv.Itoa(int(f.RetryAfter / time.Second))
	}
	return rep
}

func (s *Server) carryOut(svc service, r *request, f Fault) (reply, error) {
	if r.call.Service != "identity" {
		if !s.hasRegion(r.call.Region) {
			return reply{}, errNotFound
		}
		if r.region = s.cfg.State(r.call.Region); r.region == nil {
			return reply{}, refuse(http.StatusServiceUnavailable, "The region is not there.")
		}
	}
	if f.Status != 0 {
		return reply{}, refuse(f.Status, statusText(f.Status))
	}
	if !svc.open(r.path) {
		g, ok := s.tokens.check(r.Header.Get("X-Auth-Token"), r.now)
		if !ok {
			return reply{}, refuse(http.StatusUnauthorized, "The request you have made requires authentication.")
		}
		r.grant = g
	}
	if e := svc.negotiate(r); e != nil {
		return reply{}, e
	}
	return svc.serve(r)
}

func statusText(status int) string {
	if t := http.StatusText(status); t != "" {
		return t
	}
	return "Error " + strconv.Itoa(status)
}

// wait lets a fault's delay pass; it reports false if the client went away.
func wait(hr *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-hr.Context().Done():
		return false
	}
}

// write sends the answer whole, or as much of it as a fault lets through.
func write(w http.ResponseWriter, rep reply, f Fault) {
	var body []byte
	switch b := rep.body.(type) {
	case nil:
	case json.RawMessage:
		body = b
	default:
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(b); err != nil {
			http.Error(w, "encode: "+err.Error(), http.StatusInternalServerError)
			return
		}
		body = buf.Bytes()
	}
	if body != nil {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rep.status)
	if f.CutAfter > 0 && f.CutAfter < len(body) {
		_, _ = w.Write(body[:f.CutAfter])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler) // net/http's way to drop the connection
	}
	_, _ = w.Write(body)
}

// decode reads a request's body into v.
func decode(r *request, v any) *apiError {
	if err := json.NewDecoder(r.Body).Decode(v); err != nil {
		return refuse(http.StatusBadRequest, "The server could not comply with the request since it is either malformed or otherwise incorrect.")
	}
	return nil
}
