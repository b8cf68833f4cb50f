package phpscript

import (
	"strings"
)

// builtin is one of PHP's functions.
type builtin func(r *run, n *node, args []value) value

// makeBuiltins returns the functions that this command knows, by their names in lower case.
func makeBuiltins() map[string]builtin {
	table := map[string]builtin{
		"header": phpHeader, "define": phpDefine, "defined": phpIsDefined, "constant": phpConstantNamed, "date_default_timezone_set": phpSetZone, "getenv": phpGetenv, "filter_input": phpFilterInput,
		"getallheaders": phpAllHeaders, "apache_request_headers": phpAllHeaders, "gethostbyname": phpFirst, "filter_var": phpFilterVar,
		"strtolower": phpLower, "mb_strtolower": phpLower, "strtoupper": phpUpper, "mb_strtoupper": phpUpper,
		"trim": phpTrim, "rtrim": phpTrim, "ltrim": phpTrim, "chop": phpTrim, "urldecode": phpFirst, "rawurldecode": phpFirst, "stripslashes": phpFirst, "addslashes": phpFirst, "htmlspecialchars": phpFirst,
		"escapeshellcmd": phpFirst, "strval": phpText, "intval": phpToInt, "boolval": phpToBool,
		"substr": phpSubstr, "mb_substr": phpSubstr, "strlen": phpLength, "mb_strlen": phpLength, "explode": phpExplode, "split": phpExplode, "implode": phpImplode, "join": phpImplode,
		"strpos": phpPosition, "stripos": phpPosition, "strrpos": phpPosition, "mb_strpos": phpPosition, "mb_stripos": phpPosition, "strripos": phpPosition,
		"str_contains": phpContains, "str_ends_with": phpEndsWith, "strstr": phpStringFrom, "stristr": phpStringFrom, "strrchr": phpStringFrom, "mb_strstr": phpStringFrom,
		"strcmp": phpCompare, "strcasecmp": phpCompare, "substr_compare": phpSubstrCompare, "str_replace": phpReplace, "str_ireplace": phpReplace,
		"sprintf": phpSprintf, "preg_match": phpPregMatch,
		"in_array": phpInArray, "array_search": phpInArray, "array_key_exists": phpKeyExists, "key_exists": phpKeyExists, "count": phpCount, "sizeof": phpCount,
		"array_keys": phpArrayKeys, "array_values": phpArrayValues, "array_flip": phpArrayFlip, "array_merge": phpArrayMerge, "end": phpEnd, "reset": phpStart, "current": phpCurrent, "pos": phpCurrent, "next": phpMove, "prev": phpMove, "each": phpMove, "array_pop": phpPop, "array_shift": phpShift,
		"fopen": phpOpen, "file_put_contents": phpPutContents, "error_log": phpErrorLog, "fsockopen": phpConnect, "pfsockopen": phpConnect, "stream_socket_client": phpConnect, "fwrite": phpSend, "fputs": phpSend, "imap_open": phpImapOpen,
		"is_array": phpIs(isArray), "is_string": phpIs(isText), "is_null": phpIs(isNull), "function_exists": phpFunctionExists,
		"header_remove": phpHeaderRemove, "trigger_error": phpTriggerError, "user_error": phpTriggerError,
		"register_shutdown_function": phpLater, "header_register_callback": phpLater, "set_error_handler": phpLater, "set_exception_handler": phpLater, "ob_start": phpLater, "ini_set": phpIniSet,
		"func_get_args": func(r *run, n *node, _ []value) value {
			return unknownFor(&reason{kind: byOther, line: n.line, what: "any number of arguments"})
		},
		"eval":    phpEval,
		"extract": phpEval, "parse_str": phpEval, "create_function": phpEval, "call_user_func": phpEval, "call_user_func_array": phpEval, "array_walk": phpEval,
	}
	for _, name := range quietFunctions {
		if table[name] == nil {
			table[name] = func(_ *run, n *node, _ []value) value {
				return unknownFor(&reason{kind: byOther, line: n.line, what: "the function " + n.text})
			}
		}
	}
	return table
}

// arg returns an argument, or null.
func arg(args []value, i int) value {
	if i < len(args) {
		return args[i]
	}
	return value{}
}

// unclear returns an unknown value if one of the arguments is unknown.
func unclear(args ...value) (value, bool) {
	var why *reason
	for _, a := range args {
		if a.kind == isUnknown {
			why = worst(why, a.why)
		}
	}
	return unknownFor(why), why != nil
}

func phpFirst(_ *run, _ *node, args []value) value  { return arg(args, 0) }
func phpText(_ *run, _ *node, args []value) value   { return arg(args, 0).asText() }
func phpToInt(_ *run, _ *node, args []value) value  { return arg(args, 0).asNumber() }
func phpToBool(r *run, n *node, args []value) value { return r.not(r.not(arg(args, 0), n), n) }

// phpIs makes a function that asks for the type of a value.
func phpIs(kind valueKind) builtin {
	return func(_ *run, _ *node, args []value) value {
		if v, bad := unclear(args...); bad {
			return v
		}
		return boolValue(arg(args, 0).kind == kind)
	}
}

// phpEval runs code that stands in a text, or sets variables whose names do.
func phpEval(r *run, n *node, args []value) value {
	r.included = &reason{kind: byOther, line: n.line, what: n.text + "()"}
	return r.spoil(byOther, n.line, n.text+"()")
}

// phpHeader notes a header of the answer.
func phpHeader(r *run, n *node, args []value) value {
	v := arg(args, 0).asText()
	name, rest, ok := strings.Cut(v.text, ":")
	switch {
	case !ok && v.kind == isUnknown:
		return r.spoil(v.why.kind, n.line, "a header whose name is unknown")
	case !ok:
		return value{} // HTTP/1.0 200 OK
	}
	v.text = strings.TrimSpace(rest)
	if v.line == 0 {
		v.line = n.line
	}
	if v.kind == isUnknown {
		v.line = n.line
	}
	name = strings.ToLower(strings.TrimSpace(name))
	r.headers[name] = v
	switch name {
	case "auth-wait":
		r.x.warn(n.line, "the script delays refusals by Auth-Wait: auth_wait in [throttle] does so")
	case "auth-error-code":
		r.x.warn(n.line, "the script sends Auth-Error-Code: response_codes in [auth] does so")
	}
	return value{}
}

func phpDefine(r *run, _ *node, args []value) value {
	name, v := arg(args, 0), arg(args, 1)
	if v.kind == isArray {
		v.array.shared = true
	}
	if name.kind == isText {
		if v.kind == isText && v.name == "" {
			v.name = name.text
		}
		if _, ok := r.constants[name.text]; !ok {
			r.constants[name.text] = v
		}
	}
	return boolValue(true)
}

func phpIsDefined(r *run, n *node, args []value) value {
	if _, ok := r.constants[arg(args, 0).text]; ok || r.included == nil {
		return boolValue(ok)
	}
	return unknownFor(r.included)
}

func phpConstantNamed(r *run, n *node, args []value) value {
	if v, bad := unclear(args...); bad {
		return v
	}
	return r.constant(&node{op: opConstant, line: n.line, text: arg(args, 0).text})
}

func phpSetZone(r *run, n *node, args []value) value {
	if v := arg(args, 0); v.kind == isText {
		v.line = lineOr(v.line, n.line)
		r.x.zone = v
	}
	return boolValue(true)
}

func phpIniSet(r *run, n *node, args []value) value {
	if arg(args, 0).text == "date.timezone" {
		return phpSetZone(r, n, args[1:])
	}
	return boolValue(true)
}

func phpGetenv(r *run, n *node, args []value) value {
	if v, bad := unclear(args...); bad {
		return v
	}
	return r.server(arg(args, 0).asText().text, n.line)
}

// phpFilterInput is getenv for filter_input(INPUT_SERVER, name).
func phpFilterInput(r *run, n *node, args []value) value {
	if arg(args, 0).text != "INPUT_SERVER" {
		return unknownFor(&reason{kind: byPeer, line: n.line, what: "a parameter of the request"})
	}
	return phpGetenv(r, n, args[min(1, len(args)):])
}

// phpFilterVar takes user names for valid ones.
func phpFilterVar(_ *run, n *node, args []value) value {
	if v := arg(args, 0); v.user || v.kind == isUnknown {
		return v
	}
	return unknownFor(&reason{kind: byOther, line: n.line, what: "the function filter_var"})
}

func phpAllHeaders(r *run, n *node, _ []value) value {
	a := newArray()
	for _, name := range []string{"Auth-User", "Auth-Pass", "Auth-Salt", "Auth-Protocol", "Auth-Method"} {
		a.set(name, item{r.server(name, n.line), n.line})
	}
	a.rest = &reason{kind: byHeader, line: n.line, what: "another header of the request"}
	return value{kind: isArray, array: a}
}

func phpLower(r *run, _ *node, args []value) value {
	v := arg(args, 0).asText()
	v.text = strings.ToLower(v.text)
	return v
}

func phpUpper(r *run, _ *node, args []value) value {
	v := arg(args, 0).asText()
	v.text = strings.ToUpper(v.text)
	return v
}

// phpTrim takes user names for such that have no spaces around them.
func phpTrim(_ *run, n *node, args []value) value {
	v := arg(args, 0).asText()
	chars := " \t\n\r\x00\v"
	if len(args) > 1 {
		if args[1].kind != isText || strings.Contains(args[1].text, "..") || v.user && strings.ContainsFunc(args[1].text, func(c rune) bool { return c > ' ' && c != '<' && c != '>' && c != '"' && c != '\'' && c != '.' }) {
			return unknownFor(&reason{kind: byUser, line: n.line, what: "the function " + n.text + " of the user name"})
		}
		chars = args[1].text
	}
	if v.kind == isText && !v.user {
		switch strings.ToLower(n.text) {
		case "ltrim":
			v.text = strings.TrimLeft(v.text, chars)
		case "rtrim", "chop":
			v.text = strings.TrimRight(v.text, chars)
		default:
			v.text = strings.Trim(v.text, chars)
		}
	}
	return v
}

// phpReplace leaves a user name as it is if it replaces only escapes and spaces.
func phpReplace(_ *run, n *node, args []value) value {
	if v, bad := unclear(args...); bad {
		return v
	}
	search, with, v := arg(args, 0), arg(args, 1).asText(), arg(args, 2).asText()
	list := []value{search.asText()}
	if search.kind == isArray {
		list = nil
		for _, k := range search.array.keys {
			list = append(list, search.array.items[k].asText())
		}
	}
	for _, s := range list {
		switch {
		case v.user && (strings.HasPrefix(s.text, "%") || strings.Trim(s.text, " \t\r\n\x00") == ""):
		case v.user || s.user || s.kind == isUnknown || arg(args, 1).kind == isArray:
			return unknownFor(&reason{kind: byUser, line: n.line, what: "the function " + n.text + " of the user name"})
		case s.text != "" && strings.EqualFold(n.text, "str_replace"):
			if v.text = strings.ReplaceAll(v.text, s.text, with.text); len(v.text) > maxText {
				return unknownFor(&reason{kind: byOther, line: n.line, what: "a very long text"})
			}
		case s.text != "":
			return unknownFor(&reason{kind: byOther, line: n.line, what: "the function " + n.text})
		}
	}
	return v
}

// phpSprintf knows %s and %d, and what stands for one of them alone.
func phpSprintf(_ *run, n *node, args []value) value {
	format := arg(args, 0)
	if format.kind != isText || format.user {
		return unknownFor(&reason{kind: byOther, line: n.line, what: "the function sprintf"})
	}
	v, rest, next := textValue("", 0), format.text, 1
	for {
		i := strings.IndexByte(rest, '%')
		if i < 0 || i+1 >= len(rest) {
			return concat(v, textValue(rest, 0), n.line)
		}
		v = concat(v, textValue(rest[:i], 0), n.line)
		switch rest[i+1] {
		case '%':
			v = concat(v, textValue("%", 0), n.line)
		case 's':
			v, next = concat(v, arg(args, next), n.line), next+1
		case 'd', 'u':
			v, next = concat(v, arg(args, next).asNumber(), n.line), next+1
		default:
			return concat(v, unknownFor(&reason{kind: byTime, line: n.line, what: "the function sprintf"}), n.line)
		}
		rest = rest[i+2:]
	}
}
