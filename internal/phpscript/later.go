package phpscript

import "strings"

// phpHeaderRemove takes back one header of the answer, or all.
func phpHeaderRemove(r *run, n *node, args []value) value {
	name := arg(args, 0)
	switch {
	case len(args) == 0:
		clear(r.headers)
	case name.kind == isUnknown:
		return r.spoil(name.why.kind, n.line, "a header that is taken back, whose name is unknown")
	default:
		delete(r.headers, strings.ToLower(strings.TrimSpace(name.asText().text)))
	}
	return value{}
}

// phpTriggerError ends the script if the error is one that does.
func phpTriggerError(r *run, _ *node, args []value) value {
	r.done = r.done || arg(args, 1).text == "E_USER_ERROR"
	return boolValue(true)
}

// phpFunctionExists knows the functions of the script. What others there are depends on the PHP.
func phpFunctionExists(r *run, n *node, args []value) value {
	name := arg(args, 0)
	if name.kind == isText && r.x.script.functions[strings.ToLower(name.text)] != nil {
		return boolValue(true)
	}
	return unknownFor(&reason{kind: byOther, line: n.line, what: "what functions PHP has"})
}

// phpLater spoils the run if PHP calls a function by itself, at the end or after an error, unless that only logs.
func phpLater(r *run, n *node, args []value) value {
	name := arg(args, 0)
	f := r.x.script.functions[strings.ToLower(name.text)]
	switch {
	case name.kind == isNull, name.kind == isBool:
	case name.kind == isText && n.is("ob_start") && f == nil: // one of PHP's own, such as ob_gzhandler
	case f != nil && r.harmless(f):
	default:
		return r.spoil(byOther, n.line, "the function that PHP calls by itself because of "+n.text+"()")
	}
	return boolValue(true)
}

func (n *node) is(function string) bool { return strings.EqualFold(n.text, function) }

// harmless reports whether a function changes nothing outside of it, except in files.
func (r *run) harmless(f *node) bool {
	ok := true
	f.walk(func(n *node) {
		switch n.op {
		case opExit, opThrow, opGlobal, opInclude, opUnread, opDynamic, opCallValue, opMethod:
			ok = false
		case opVariable:
			ok = ok && !n.is("GLOBALS")
		case opCall:
			switch strings.ToLower(n.text) {
			case "header", "header_remove", "http_response_code", "define", "extract":
				ok = false
			}
			ok = ok && r.x.script.functions[strings.ToLower(n.text)] == nil
		}
	})
	return ok
}
