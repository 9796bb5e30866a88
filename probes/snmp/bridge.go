package snmp

import "context"

// readBridge reads the forwarding table and VLANs.
func (p *poll) readBridge(context.Context) {}
