<?php
// A script of the kind that mailauthd replaces, with the faults of that kind: it compares the end of the name only, runs
// a shell with the password, takes whatever is not one exact text for success, and logs in twice.

date_default_timezone_set("Europe/Moscow");

$auth_method   = @$_SERVER["HTTP_AUTH_METHOD"];
$auth_user     = @$_SERVER["HTTP_AUTH_USER"];
$auth_pass     = @$_SERVER["HTTP_AUTH_PASS"];
$auth_salt     = @$_SERVER["HTTP_AUTH_SALT"];
$auth_protocol = @$_SERVER["HTTP_AUTH_PROTOCOL"];

note("Auth-Method:   " . $auth_method);
note("Auth-User:     " . $auth_user);
note("Auth-Salt:     " . $auth_salt);
note("Auth-Protocol: " . $auth_protocol);
note("Client-IP:     " . @$_SERVER["HTTP_CLIENT_IP"]);
note("Auth-SSL:      " . @$_SERVER["HTTP_AUTH_SSL"]);

if (!server_of($auth_user)) {
    refuse();
}
$backend_ip = server_of($auth_user);
note("backend_ip:    " . $backend_ip);

if (!log_in($auth_user, $auth_pass, $auth_protocol, $backend_ip)) {
    refuse();
}
$backend_port = log_in($auth_user, $auth_pass, $auth_protocol, $backend_ip);

header("Auth-Status: OK");
header("Auth-Server: $backend_ip");
header("Auth-Port: $backend_port");
exit;

function server_of($auth_user) {
    if (in_array(substr($auth_user, -11), array("domain1.com"))) {
        return "127.0.0.1";
    } elseif (in_array(substr($auth_user, -12), array("domain02.com"))) {
        return "127.0.0.2";
    } elseif (in_array(substr($auth_user, -13), array("domain003.com"))) {
        return "127.0.0.2";
    } else {
        return false;
    }
}

function log_in($user, $pass, $protocol, $server) {
    $pass = str_replace("%20", " ", $pass);
    $pass = str_replace("%23", "#", $pass);
    $pass = str_replace("%25", "%", $pass);
    $pass = str_replace("%3F", "?", $pass);
    switch ($protocol) {
    case "pop3":
        $backend_port = "{{.POP3}}";
        note("backend_port:  " . $backend_port);
        $reply = cram_md5($server, $backend_port, "", "AUTH CRAM-MD5", 2, $user, $pass);
        if (substr($reply, 0, 4) === "-ERR") {
            return false;
        }
        note("Auth reply:    " . $reply);
        return "{{.POP3}}";
    case "imap":
        $backend_port = "{{.IMAP}}";
        note("backend_port:  " . $backend_port);
        $reply = cram_md5($server, $backend_port, "", "001 AUTHENTICATE CRAM-MD5", 2, $user, $pass);
        if (substr($reply, 4, 22) === "NO AUTHENTICATE failed") {
            return false;
        }
        note("Auth reply:    " . $reply);
        return "{{.IMAP}}";
    case "smtp":
        $backend_port = "{{.SMTP}}";
        note("backend_port:  " . $backend_port);
        $reply = cram_md5($server, $backend_port, "EHLO proxy", "AUTH CRAM-MD5", 4, $user, $pass);
        if (substr($reply, 0, 3) === "535") {
            return false;
        }
        note("Auth reply:    " . $reply);
        return "{{.SMTP}}";
    }
    return false;
}

function cram_md5($server, $port, $hello, $command, $skip, $user, $pass) {
    $socket = @fsockopen($server, $port, $errno, $errstr, 30);
    if (!$socket) {
        return "-ERR NO AUTHENTICATE failed";
    }
    fgets($socket, 1024);
    if ($hello) {
        fwrite($socket, $hello . "\r\n");
        do {
            $line = fgets($socket, 1024);
        } while ($line && substr($line, 3, 1) == "-");
    }
    fwrite($socket, $command . "\r\n");
    $challenge = substr(fgets($socket, 1024), $skip);
    $pass = str_replace(" ", "\\ ", $pass);
    $pass = str_replace("&", "\\&", $pass);
    $answer = shell_exec("{{.MD5CRAM}} ${user} ${pass} ${challenge}");
    fwrite($socket, $answer . "\r\n");
    $reply = fgets($socket, 1024);
    fclose($socket);
    return $reply;
}

function refuse() {
    header("Auth-Status: Invalid login or password");
    exit;
}

function note($data) {
    list($usec, $sec) = explode(" ", microtime());
    $line = date("Ymd H:i:s") . "'" . sprintf("%06s", intval($usec * 1000000)) . ": $data";
    $log = "{{.Log}}";
    $file = @fopen($log, "a");
    fwrite($file, $line . PHP_EOL);
    fclose($file);
}
?>
