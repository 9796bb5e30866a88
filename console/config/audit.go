package config

import "plumb/console/syslog"

// auditYAML says where the audit log is told outside.
type auditYAML struct {
	Export *auditExportYAML `yaml:"export"`
	At     place
}

type auditExportYAML struct {
	File   ref `yaml:"file"`
	Syslog ref `yaml:"syslog"`
	CAFile ref `yaml:"ca_file"` // who vouches for a tls server; left out: whom the system trusts
	At     place
}

func (b *builder) audit(y *auditYAML, dir string) {
	x := y.Export
	if x == nil || x.File.name == "" && x.Syslog.name == "" {
		b.errs.add(y.At, "audit.export", "names no destination", "file: PATH, or syslog: tls://HOST:PORT")
		return
	}
	if x.File.name != "" {
		b.file.Audit.File = inDir(dir, x.File.name)
	}
	if x.Syslog.name == "" {
		return
	}
	to, err := syslog.Parse(x.Syslog.name, b.authorities(x.CAFile, "audit.export.ca_file", dir))
	if err != nil {
		b.errs.add(x.Syslog.at, "audit.export.syslog", quote(x.Syslog.name)+": "+err.Error(), "")
	}
	b.file.Audit.Syslog = to
}
