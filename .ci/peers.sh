#!/bin/sh
# Says which of the real programs that `make peers` reads are here, and how to
# get the others. Tests of what is missing skip and say so again.
missing=""
need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"; }
need ipmi_sim openipmi
need ipmitool ipmitool
need ipmi-sensors freeipmi-tools
need snmpd snmpd
need snmpbulkwalk snmp
need snmpsimd snmpsim
need prometheus-alertmanager prometheus-alertmanager
need promtool prometheus
need postconf postfix
need saslpasswd2 sasl2-bin
need rsyslogd "rsyslog rsyslog-openssl"
need ssh openssh-client
if [ -n "$missing" ]; then
	echo "peers that are not here:$missing"
	echo "hint: apt-get install --no-install-recommends$missing"
fi
[ -d ../shared/peers ] || echo "no ../shared/peers beside this checkout: tests that start peers by its scripts skip"
