package store

func (v *verifier) latest(k, raw []byte) error {
	target, table, rest, err := readRowKey(k)
	if err == nil && len(rest) > 0 {
		err = damaged("table key %q", k)
	}
	if err != nil {
		return err
	}
	value, err := unseal(k, raw)
	if err != nil {
		return err
	}
	history, gone := v.state.Bucket(bucketHistory), v.state.Bucket(bucketGone)
	name, first := "", true
	var wrong error
	err = v.readTable(value, func(r tableRow) {
		key := rowKey(target, table, r.name)
		switch {
		case wrong != nil:
		case !first && r.name <= name:
			wrong = damaged("row %q does not follow %q", r.name, name)
		case gone.Get(key) != nil:
			wrong = damaged("row %q is there and gone", r.name)
		case history.Get(pastKey(key, r.at)) != nil:
			wrong = damaged("row %q is its own past", r.name)
		}
		name, first = r.name, false
		v.report.Rows++
	})
	if err == nil {
		err = wrong
	}
	return err
}

// readTable reads a table and counts it for the set that it names.
func (v *verifier) readTable(value []byte, f func(tableRow)) error {
	h, err := readTable(value)
	if err != nil {
		return err
	}
	if h.set == nil {
		v.users[h.name]++
	}
	return v.tables.each(value, f)
}

func (v *verifier) set(k, raw []byte) error {
	b, err := unseal(k, raw)
	if err != nil {
		return err
	}
	name := nameOfSet(b)
	if string(name[:]) != string(k) {
		return damaged("the set is not what its name says")
	}
	if v.users[name] == 0 {
		return damaged("no table names the set")
	}
	return nil
}

// setRef checks how many tables name a set: all tables were met before.
func (v *verifier) setRef(k, _ []byte) error {
	var name setName
	if copy(name[:], k) != len(name) || len(k) != len(name) {
		return damaged("the name of a set has %d bytes", len(k))
	}
	n, err := v.tables.sets.users(name)
	if err != nil {
		return err
	}
	if n != v.users[name] || v.tables.sets.sets.Get(k) == nil {
		return damaged("%d tables should name the set, and %d do", n, v.users[name])
	}
	return nil
}

func (v *verifier) history(k, raw []byte) error {
	row, _, err := readPastKey(k)
	if err != nil {
		return err
	}
	target, table, name, err := readRowKey(row)
	if err != nil {
		return err
	}
	if v.state.Bucket(bucketGone).Get(row) == nil && !v.held(tableKey(target, table), string(name)) {
		return damaged("a past of a row that is neither there nor gone")
	}
	_, err = unseal(k, raw)
	return err
}

// held reports whether a table has a row. The names of the last table are kept:
// the history is in the order of the tables.
func (v *verifier) held(table []byte, row string) bool {
	if v.names == nil || v.namesOf != string(table) {
		v.names, v.namesOf = map[string]bool{}, string(table)
		if b, err := unseal(table, v.state.Bucket(bucketLatest).Get(table)); err == nil {
			_ = v.tables.each(b, func(r tableRow) { v.names[r.name] = true }) // what is damaged is said where it lies
		}
	}
	return v.names[row]
}

func (v *verifier) goneRow(k, raw []byte) error {
	if _, _, _, err := readRowKey(k); err != nil {
		return err
	}
	at, err := readGone(k, raw)
	if err == nil && v.state.Bucket(bucketHistory).Get(pastKey(k, at)) != nil {
		err = damaged("the row is its own past")
	}
	return err
}
