package phpscript

import (
	"slices"
	"strings"
)

// call runs a function of the script, or one of PHP's own.
func (r *run) call(n *node) value {
	name := strings.ToLower(n.text)
	if f := r.x.script.functions[name]; f != nil {
		return r.callOwn(f, n)
	}
	args := r.arguments(n)
	if r.done {
		return value{}
	}
	r.line = n.line
	for _, a := range args {
		if a.kind == isArray {
			r.work(len(a.array.keys) / 4)
		}
	}
	if f := r.x.builtins[name]; f != nil && !beyond(name, args) {
		return f(r, n, args)
	}
	return r.callUnknown(name, n, args)
}

// beyond reports whether a function that this command knows does with these arguments what it does not know.
func beyond(name string, args []value) bool {
	v := arg(args, 0)
	switch name {
	case "count", "sizeof", "array_keys", "intval":
		return len(args) > 1
	case "urldecode", "rawurldecode", "stripslashes", "addslashes", "htmlspecialchars", "escapeshellcmd":
		return v.kind == isText && !v.user && strings.IndexFunc(v.text, otherThanName) >= 0
	}
	return false
}

func otherThanName(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("@._-: /", c))
}

// callOwn runs a function of the script.
func (r *run) callOwn(f *node, n *node) value {
	if r.calls >= maxCalls {
		r.done = true
		return r.spoil(byOther, n.line, "functions that call each other without end")
	}
	args := r.arguments(n)
	locals, shared := r.locals, r.shared
	within := func(name string) bool { return shared == nil || shared[name] }
	inner := make(map[string]value)
	params := f.kids[:len(f.kids)-1]
	for i, p := range params {
		switch {
		case p.text == "...":
			inner[p.kids[1].text] = unknownFor(&reason{kind: byOther, line: p.line, what: "any number of arguments"})
		case i < len(args):
			inner[p.kids[1].text] = args[i]
			if args[i].kind == isArray {
				args[i].array.shared = true
			}
		default:
			inner[p.kids[1].text] = r.eval(p.kids[0])
		}
	}
	r.calls++
	r.locals, r.shared = inner, make(map[string]bool)
	result := value{}
	if r.exec(f.kids[len(f.kids)-1]) == giveBack {
		result = r.returned
	}
	for i, p := range params {
		if p.text == "&" && i < len(n.kids) && within(n.kids[i].kids[1].text) && r.shared[n.kids[i].kids[1].text] {
			r.spoil(byOther, n.line, "a reference to a global variable")
		}
	}
	r.locals, r.shared = locals, shared
	r.calls--
	for i, p := range params {
		if p.text == "&" && i < len(n.kids) && !r.done {
			r.assign(n.kids[i].kids[1], inner[p.kids[1].text])
		}
	}
	return result
}

// functionKinds says what functions depend on, by how their names begin.
var functionKinds = []struct {
	prefix string
	kind   reasonKind
}{
	{"mysqli_", byDatabase}, {"mysql_", byDatabase}, {"pg_", byDatabase}, {"sqlite_", byDatabase}, {"odbc_", byDatabase},
	{"mssql_", byDatabase}, {"sqlsrv_", byDatabase}, {"oci_", byDatabase}, {"db2_", byDatabase}, {"ibase_", byDatabase}, {"dba_", byDatabase},
	{"ldap_", byLDAP}, {"imap_", byIMAP}, {"curl_", byCURL},
	{"fsockopen", byReply}, {"pfsockopen", byReply}, {"stream_", byReply}, {"socket_", byReply}, {"openssl_", byPassword},
	{"fgets", byReply}, {"fread", byReply}, {"fgetc", byReply}, {"fwrite", byReply}, {"fputs", byReply}, {"feof", byReply}, {"fclose", byReply}, {"fflush", byReply},
	{"fopen", byFile}, {"file", byFile}, {"parse_ini", byFile}, {"readfile", byFile}, {"opendir", byFile}, {"is_file", byFile}, {"is_readable", byFile}, {"glob", byFile}, {"simplexml", byFile}, {"yaml_parse", byFile},
	{"shell_exec", byProgram}, {"exec", byProgram}, {"system", byProgram}, {"passthru", byProgram}, {"proc_", byProgram}, {"popen", byProgram},
	{"pam_", byProgram}, {"radius_", byProgram},
	{"date", byTime}, {"time", byTime}, {"microtime", byTime}, {"mktime", byTime}, {"strftime", byTime}, {"strtotime", byTime}, {"hrtime", byTime}, {"gmdate", byTime}, {"localtime", byTime}, {"getdate", byTime},
	{"rand", byRandom}, {"mt_rand", byRandom}, {"array_rand", byRandom}, {"shuffle", byRandom}, {"uniqid", byRandom}, {"lcg_", byRandom}, {"mt_srand", byRandom}, {"str_shuffle", byRandom},
	{"gethostby", byOther}, {"dns_", byOther}, {"getmxrr", byOther}, {"checkdnsrr", byOther},
	{"apc", byOther}, {"memcache", byDatabase}, {"redis", byDatabase}, {"dl", byOther},
}

// classKind says what an object of one of PHP's own classes depends on.
func classKind(class string) reasonKind {
	class = strings.ToLower(class)
	for _, part := range []string{"pdo", "mysql", "sqlite", "redis", "memcache", "mongo"} {
		if strings.Contains(class, part) {
			return byDatabase
		}
	}
	if strings.Contains(class, "date") {
		return byTime
	}
	return byOther
}

// callUnknown is what a function returns that this command does not know. If it stands for what decides, such as a
// database, that counts; else what its arguments depend on.
func (r *run) callUnknown(name string, n *node, args []value) value {
	why := &reason{kind: byOther, line: n.line, what: "the function " + n.text}
	for _, a := range args {
		if f := r.x.script.functions[strings.ToLower(a.text)]; a.kind == isText && f != nil && !r.harmless(f) {
			r.spoil(byOther, n.line, "the function "+a.text+", which "+n.text+" calls")
		}
	}
	own := false
	for _, k := range functionKinds {
		if strings.HasPrefix(name, k.prefix) {
			why.kind, own = k.kind, true
			break
		}
	}
	for i, k := range n.kids {
		if k.kids[1] != nil && k.kids[1].op == opVariable && (r.included != nil && !own || outArguments(name)) {
			if i < len(args) && args[i].user || !own || i > 0 {
				r.set(k.kids[1].text, unknownFor(why))
			}
		}
	}
	if r.included != nil && !own {
		return r.spoil(byInclude, n.line, "the function "+n.text+" of an included file")
	}
	if own && why.kind >= byIMAP && why.kind != byOther {
		return unknownFor(why)
	}
	var from *reason
	for _, a := range args {
		switch {
		case a.kind == isUnknown:
			from = worst(from, a.why)
		case a.user:
			from = worst(from, &reason{kind: byUser, line: n.line, what: "the function " + n.text + " of the user name"})
		case a.kind == isArray && a.array.rest != nil:
			from = worst(from, a.array.rest)
		}
	}
	if own && (from == nil || from.kind < why.kind || why.kind <= byReply) {
		from = why
	}
	if from == nil {
		from = why
	}
	return unknownFor(&reason{kind: from.kind, line: n.line, what: why.what})
}

// quietFunctions do nothing that counts. What they return is unknown.
var quietFunctions = []string{
	"error_reporting", "set_time_limit", "ini_set", "openlog", "syslog", "closelog", "usleep", "sleep", "session_start",
	"ob_end_clean", "ob_end_flush", "flush", "http_response_code", "ignore_user_abort", "setlocale", "umask", "chmod",
	"touch", "clearstatcache", "assert", "var_dump", "print_r", "error_log", "mb_internal_encoding",
	"printf", "gc_collect_cycles", "debug_print_backtrace",
	"spl_autoload_register", "mt_srand", "srand",
}

// pure reports whether an expression changes nothing, so that it may be evaluated although the script perhaps does not.
func (x *explorer) pure(n *node) bool {
	pure, known := x.pureNodes[n]
	if known {
		return pure
	}
	pure = true
	n.walk(func(n *node) {
		switch n.op {
		case opAssign, opStep, opExit, opThrow, opInclude, opUnread, opDynamic, opCallValue, opMatch, opTernary:
			pure = false
		case opBinary:
			if n.text == "or" || n.text == "and" {
				pure = false
			}
		case opCall:
			name := strings.ToLower(n.text)
			if x.script.functions[name] != nil || slices.Contains([]string{"header", "header_remove", "define", "preg_match", "date_default_timezone_set"}, name) || outArguments(name) && name != "str_replace" {
				pure = false
			}
		}
	})
	x.pureNodes[n] = pure
	return pure
}
