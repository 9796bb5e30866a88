package agent

// errorStatus is the error-status of a Response (RFC 3416 section 3).
type errorStatus byte

const (
	noError            errorStatus = 0
	tooBig             errorStatus = 1
	genErr             errorStatus = 5
	noAccess           errorStatus = 6
	wrongType          errorStatus = 7
	wrongLength        errorStatus = 8
	wrongValue         errorStatus = 10
	noCreation         errorStatus = 11
	commitFailed       errorStatus = 14
	undoFailed         errorStatus = 15
	authorizationError errorStatus = 16
	notWritable        errorStatus = 17
)

// echo is no status on the wire: a SET that was done answers with the
// bindings it was asked.
const echo errorStatus = 0xff

// maxBinds bounds the bindings of one request, so that an error-index is one
// byte and a GETBULK's repeaters fit a fixed array.
const maxBinds = 127

// slack is room kept free behind the bindings for the lengths that widen when
// the values around them are closed, and for a block cipher's padding.
const slack = 24

// request is a PDU of a command generator.
type request struct {
	kind  byte
	id    int64
	first int64 // error-status, or non-repeaters of a GETBULK
	last  int64 // error-index, or max-repetitions
	binds reader
}

// readRequest reads a PDU whose varbind list is left to the operation.
func readRequest(r *reader) (request, bool) {
	tag, end := r.header()
	in := reader{src: r.src, at: r.at, end: end, bad: r.bad}
	r.at = end
	q := request{kind: tag, id: in.integer(), first: in.integer(), last: in.integer()}
	q.binds = in.enter(tagSequence)
	return q, !r.bad && !in.bad && !q.binds.bad
}

// confirmed reports whether a PDU of the kind asks for an answer.
func confirmed(kind byte) bool {
	return kind == pduGet || kind == pduGetNext || kind == pduSet || kind == pduGetBulk || kind == pduInform
}

// responder carries out requests. Its arrays are scratch space, so that an
// answer allocates nothing.
type responder struct {
	set   func(Change) error
	name  [maxSubIDs]uint32
	place [maxBinds]place
	last  [maxBinds]nameRef // of each repeater
	todo  [maxBinds]Change
}

type span struct{ from, to int }

// nameRef is where a repeater's last name stands: in the request at first, in
// the answer's binding that begins at from after its first row.
type nameRef struct {
	span
	answered bool
}

func (n nameRef) in(asked, answer []byte) []byte {
	if !n.answered {
		return asked[n.from:n.to]
	}
	r := newReader(answer)
	r.at = n.from
	bind := r.enter(tagSequence)
	from := bind.at
	bind.octets(tagOID)
	return answer[from:bind.at]
}

// respond appends the Response to q; the whole message that e holds stays
// within limit bytes, with slack for what the caller closes.
func (s *responder) respond(e *encoder, t *tree, v *view, q request, limit int) {
	pdu := e.open(pduResponse)
	e.integer(q.id)
	status := len(e.b) + 2 // both are INTEGERs of one byte
	e.integer(0)
	e.integer(0)
	list := e.open(tagSequence)
	code, index := s.fill(e, t, v, q, limit-slack)
	if code != noError {
		e.b = e.b[:list]
		if code == echo {
			code = noError
		}
		if raw := q.binds.rest(); code != tooBig && list+len(raw) <= limit-slack {
			e.b = append(e.b, raw...)
		} else {
			code, index = tooBig, 0
		}
	}
	e.b[status], e.b[status+3] = byte(code), byte(index)
	e.close(list)
	e.close(pdu)
}

func (s *responder) fill(e *encoder, t *tree, v *view, q request, limit int) (errorStatus, int) {
	switch q.kind {
	case pduGet:
		return s.get(e, t, v, q.binds, limit)
	case pduGetNext:
		return s.next(e, t, v, q.binds, limit)
	case pduGetBulk:
		return s.bulk(e, t, v, q, limit)
	case pduSet:
		return s.write(e, t, v, q.binds, limit)
	}
	return genErr, 0
}

// bindName reads the next binding's name; its value is read and returned too.
func (s *responder) bindName(binds *reader) (oid []uint32, raw span, tag byte, value []byte, ok bool) {
	in := binds.enter(tagSequence)
	raw.from = in.at
	name := in.octets(tagOID)
	raw.to = in.at
	tag, value = in.any()
	oid, ok = parseOID(name, s.name[:])
	return oid, raw, tag, value, ok && !in.bad
}

func (s *responder) get(e *encoder, t *tree, v *view, binds reader, limit int) (errorStatus, int) {
	for i := 1; binds.more(); i++ {
		oid, raw, _, _, ok := s.bindName(&binds)
		if !ok || i > maxBinds {
			return genErr, min(i, maxBinds)
		}
		p, missing := t.find(v, oid)
		if missing == 0 && !t.bind(e, v, p) {
			missing = tagNoSuchInstance
		}
		if missing != 0 {
			exception(e, binds.src[raw.from:raw.to], missing)
		}
		if len(e.b) > limit {
			return tooBig, 0
		}
	}
	return noError, 0
}

func (s *responder) next(e *encoder, t *tree, v *view, binds reader, limit int) (errorStatus, int) {
	for i := 1; binds.more(); i++ {
		oid, raw, _, _, ok := s.bindName(&binds)
		if !ok || i > maxBinds {
			return genErr, min(i, maxBinds)
		}
		if _, ok := t.step(e, v, t.seek(v, oid)); !ok {
			exception(e, binds.src[raw.from:raw.to], tagEndOfMibView)
		}
		if len(e.b) > limit {
			return tooBig, 0
		}
	}
	return noError, 0
}

// exception appends a binding of a name as it was asked and an exception.
func exception(e *encoder, name []byte, tag byte) {
	at := e.open(tagSequence)
	e.b = append(e.b, name...)
	e.null(tag)
	e.close(at)
}

// bulk serves GETBULK (RFC 3416 section 4.2.3): what does not fit any more is
// left out, which is no error.
func (s *responder) bulk(e *encoder, t *tree, v *view, q request, limit int) (errorStatus, int) {
	single := max(q.first, 0)
	count, full := 0, false
	for i := int64(0); q.binds.more(); i++ {
		oid, raw, _, _, ok := s.bindName(&q.binds)
		if !ok || i >= maxBinds {
			return genErr, min(int(i)+1, maxBinds)
		}
		if i >= single {
			s.place[count] = t.seek(v, oid)
			s.last[count] = nameRef{raw, false}
			count++
			continue
		}
		if full {
			continue
		}
		mark := len(e.b)
		if _, ok := t.step(e, v, t.seek(v, oid)); !ok {
			exception(e, q.binds.src[raw.from:raw.to], tagEndOfMibView)
		}
		if full = len(e.b) > limit; full {
			e.b = e.b[:mark]
		}
	}
	if count == 0 || full {
		return noError, 0
	}
	for n := int64(0); n < q.last && s.repeat(e, t, v, q.binds.src, count, limit); n++ {
	}
	return noError, 0
}

// repeat appends one repetition; false when the answer is full or every
// repeater has come to the end of the tree.
func (s *responder) repeat(e *encoder, t *tree, v *view, asked []byte, count, limit int) bool {
	live := false
	for i := range count {
		mark := len(e.b)
		p, ok := t.step(e, v, s.place[i])
		if !ok {
			exception(e, s.last[i].in(asked, e.b), tagEndOfMibView)
		}
		if len(e.b) > limit {
			e.b = e.b[:mark]
			return false
		}
		if ok {
			live = true
			s.last[i] = nameRef{span{from: mark}, true}
		}
		s.place[i] = p
	}
	return live
}

// write serves SET in two passes (RFC 3416 section 4.2.5): nothing is changed
// unless all of it can be.
func (s *responder) write(_ *encoder, t *tree, v *view, binds reader, _ int) (errorStatus, int) {
	count := 0
	for ; binds.more(); count++ {
		oid, _, tag, value, ok := s.bindName(&binds)
		if !ok || count >= maxBinds {
			return genErr, min(count+1, maxBinds)
		}
		change, code := s.check(t, v, oid, tag, value)
		if code != noError {
			return code, count + 1
		}
		s.todo[count] = change
	}
	if binds.bad {
		return genErr, 0
	}
	for i, change := range s.todo[:count] {
		if s.set(change) == nil {
			continue
		}
		if i > 0 {
			return undoFailed, 0
		}
		return commitFailed, i + 1
	}
	return echo, 0
}

func (s *responder) check(t *tree, v *view, oid []uint32, tag byte, value []byte) (Change, errorStatus) {
	p, missing := t.find(v, oid)
	switch {
	case missing == tagNoSuchObject:
		return Change{}, notWritable
	case missing == tagNoSuchInstance && t.settable(oid):
		return Change{}, noCreation
	case missing != 0 || t.objects[p.object].set == nil:
		return Change{}, notWritable
	case s.set == nil:
		return Change{}, noAccess
	}
	return t.objects[p.object].set(v, p.row, tag, value)
}
