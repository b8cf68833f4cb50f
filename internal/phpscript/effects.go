package phpscript

import (
	"strconv"
	"strings"
)

func phpCount(_ *run, n *node, args []value) value {
	v := arg(args, 0)
	switch {
	case v.kind == isArray && v.array.rest == nil:
		return numberValue(len(v.array.keys))
	case v.kind == isArray:
		return unknownFor(v.array.rest)
	case v.kind == isUnknown:
		return v
	}
	return numberValue(0)
}

// listFunction makes a function of an array's elements.
func listFunction(n *node, args []value, f func(to, from *phpArray, key string)) value {
	v := arg(args, 0)
	if v.kind != isArray {
		if v.kind != isUnknown {
			v = unknownFor(&reason{kind: byOther, line: n.line, what: "the function " + n.text})
		}
		return v
	}
	a := newArray()
	for _, k := range v.array.keys {
		f(a, v.array, k)
	}
	a.rest = v.array.rest
	return value{kind: isArray, array: a}
}

func phpArrayKeys(_ *run, n *node, args []value) value {
	return listFunction(n, args, func(to, from *phpArray, k string) { to.push(keyValue(k, from.items[k].keyLine)) })
}

func phpArrayValues(_ *run, n *node, args []value) value {
	return listFunction(n, args, func(to, from *phpArray, k string) { to.push(from.items[k].value) })
}

func phpArrayFlip(r *run, n *node, args []value) value {
	return listFunction(n, args, func(to, from *phpArray, k string) {
		r.store(to, from.items[k].value, keyValue(k, from.items[k].keyLine))
	})
}

func phpArrayMerge(r *run, n *node, args []value) value {
	a := newArray()
	for _, v := range args {
		if v.kind != isArray {
			a.rest = worst(a.rest, &reason{kind: byOther, line: n.line, what: "the function " + n.text})
			continue
		}
		for _, k := range v.array.keys {
			if _, ok := integer(k); ok {
				a.push(v.array.items[k].value)
			} else {
				a.set(k, v.array.items[k])
			}
		}
		a.rest = worst(a.rest, v.array.rest)
	}
	return value{kind: isArray, array: a}
}

// edge returns an element at one end of an array, and with remove takes it away.
func (r *run) edge(n *node, args []value, last, remove bool) value {
	v := arg(args, 0)
	switch {
	case v.kind == isUnknown:
		return v
	case v.kind != isArray:
		return unknownFor(&reason{kind: byOther, line: n.line, what: "the function " + n.text})
	case v.array.rest != nil:
		return unknownFor(v.array.rest)
	case len(v.array.keys) == 0:
		return boolValue(false)
	}
	at := 0
	if last {
		at = len(v.array.keys) - 1
	}
	got := v.array.items[v.array.keys[at]].value
	if target := n.kids[0].kids[1]; remove && (target.op == opVariable || target.op == opIndex) {
		a := newArray()
		for i, k := range v.array.keys {
			if _, whole := integer(k); i != at && whole {
				a.push(v.array.items[k].value)
			} else if i != at {
				a.set(k, v.array.items[k])
			}
		}
		r.assign(target, value{kind: isArray, array: a})
	}
	return got
}

func phpEnd(r *run, n *node, args []value) value {
	r.moved = true
	return r.edge(n, args, true, false)
}

// phpMove is next, prev and each.
func phpMove(r *run, n *node, args []value) value {
	r.moved = true
	return r.callUnknown(n.text, n, args)
}

func phpCurrent(r *run, n *node, args []value) value {
	if r.moved {
		return r.callUnknown(n.text, n, args)
	}
	return phpStart(r, n, args)
}

func phpStart(r *run, n *node, args []value) value { return r.edge(n, args, false, false) }
func phpPop(r *run, n *node, args []value) value   { return r.edge(n, args, true, true) }
func phpShift(r *run, n *node, args []value) value { return r.edge(n, args, false, true) }

// phpOpen notes the file that the script writes its log to.
func phpOpen(r *run, n *node, args []value) value {
	if mode := arg(args, 1).text; mode != "" && !strings.HasPrefix(mode, "r") {
		r.x.logged(arg(args, 0), n.line)
		return unknownFor(&reason{kind: byProgram, line: n.line, what: "a file that the script writes"})
	}
	return r.callUnknown("fopen", n, args)
}

func phpPutContents(r *run, n *node, args []value) value {
	r.x.logged(arg(args, 0), n.line)
	return boolValue(true)
}

func phpErrorLog(r *run, n *node, args []value) value {
	if arg(args, 1).asNumber().number == 3 {
		r.x.logged(arg(args, 2), n.line)
	}
	return boolValue(true)
}

// phpConnect notes how the script connects to a mail server.
func phpConnect(r *run, n *node, args []value) value {
	host, port := arg(args, 0).asText(), 0
	if p := arg(args, 1).asNumber(); p.kind == isNumber {
		port = p.number
	}
	scheme, rest, ok := strings.Cut(host.text, "://")
	if !ok {
		scheme, rest = "", host.text
	}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 && strings.HasPrefix(strings.ToLower(n.text), "stream") {
		if p, err := strconv.Atoi(rest[i+1:]); err == nil {
			rest, port = rest[:i], p
		}
	}
	dial := dialogue{line: n.line, protocol: r.protocol, port: port}
	if host.kind == isText {
		dial.host = rest
	}
	scheme = strings.ToLower(scheme)
	dial.tls = scheme == "ssl" || strings.HasPrefix(scheme, "tls")
	r.x.connects(dial)
	for i, name := range []string{"errno", "errstr"} {
		at := i + 2
		if strings.HasPrefix(strings.ToLower(n.text), "stream") {
			at = i + 1
		}
		if at < len(n.kids) && n.kids[at].kids[1].op == opVariable {
			r.set(n.kids[at].kids[1].text, unknownFor(&reason{kind: byReply, line: n.line, what: name}))
		}
	}
	return unknownFor(&reason{kind: byReply, line: n.line, what: "the connection to the mail server"})
}

// phpSend notes how the script logs in to a mail server.
func phpSend(r *run, n *node, args []value) value {
	if v := arg(args, 1); v.kind == isText || v.kind == isUnknown {
		r.x.sends(r.protocol, v.text, n.line)
	}
	return unknownFor(&reason{kind: byReply, line: n.line, what: "the connection to the mail server"})
}

func phpImapOpen(r *run, n *node, args []value) value {
	return unknownFor(&reason{kind: byIMAP, line: n.line, what: "imap_open"})
}
