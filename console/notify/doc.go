// Package notify tells people and programs outside what the alert engine has to
// say: it sends the notices that wait in the store's outbox.
//
// The one idea: the outbox is the truth, and sending is a walk along it. A
// notice is in it before the first try and leaves it only when its receiver said
// yes, when it is no longer worth telling, or when the receiver refused it for
// good; the last two are events. A process that dies in between tells it again
// under the same key, and never not at all. So a sender ([Sender]) knows one
// thing only, how to hand over one message, and says with an error whether it is
// worth trying again; patience, order and memory are the [Deliverer]'s.
//
// Each receiver has a goroutine, a connection and a place in the outbox of its
// own. One that hangs keeps nobody waiting but itself, and polling knows nothing
// of any of them. Beside the outbox there are two things that are said again and
// again and never kept: what still fires, to receivers that forget (an
// Alertmanager), and a heartbeat, whose absence somebody outside can notice.
//
// What does not belong here: what is told, to whom and when (fleet/alert), and
// how receivers stand in the file (console/config).
package notify
