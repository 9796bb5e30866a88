package keys

// bookCommands are about runbooks.
func bookCommands() []Command {
	return []Command{
		bind("runbooks", "B", "runbooks", "recipes for what the caret stands on, and which are of use now", why(whyNoBooks)),
		bind("runbook.reason", "e", "reason", "type the reason for the audit log", in("runbook"), params("reason"), rank(21)),
		bind("answer", "", "answer", "answer what a run of a runbook asks: JOB yes, JOB no, or JOB and what is asked for", params("job and answer")),
	}
}

// whyNoBooks says why no runbook is about what is selected.
func whyNoBooks(s Scene) string {
	switch {
	case s.View == "runbooks" || s.View == "runbook" || s.View == "confirm":
		return "this is where it led"
	case s.Kind == "instance":
		return needsTarget(s)
	case s.device() == nil:
		return "select a device, a port or an instance"
	}
	return ""
}
