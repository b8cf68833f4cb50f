<?php
/* servers by domain, both ways of writing arrays */
$map = [
    'red.test'   => '10.4.0.1',
    "blue.test"  => '10.4.0.2',
    'green.test' => '10.4.0.1',
    'blue.test'  => '10.4.0.3',
];
$map['black.test'] = '10.4.0.4';
$allowed = array('red.test', 'blue.test', 'green.test', 'black.test');

$user = $_SERVER["HTTP_AUTH_USER"];
$pass = $_SERVER["HTTP_AUTH_PASS"];
$at = strpos($user, '@');
if ($at === false) fail();
$domain = substr($user, $at + 1);
if (!in_array($domain, $allowed) || !array_key_exists($domain, $map)) fail();
$server = isset($map[$domain]) ? $map[$domain] : false;
$port = getport($_SERVER['HTTP_AUTH_PROTOCOL']);

if (hash_equals("x", crypt($pass, "x")) || smtpOK($server)) {
    header("Auth-Status: OK");
    header("Auth-Server: " . $server);
    header("Auth-Port: " . $port);
    exit;
}
fail();

function getport($p) {
    if ($p == 'pop3') return 110;
    if ($p == 'imap') return 143;
    return false; // no smtp here
}

function smtpOK($server) {
    $f = fsockopen($server, 25);
    fputs($f, "EHLO me\r\n");
    while ($line = fgets($f)) { if ($line[3] == ' ') break; }
    fputs($f, "AUTH PLAIN abc\r\n");
    return preg_match('/^235 /', fgets($f));
}

function fail() {
    header("Auth-Status: Nein");
    exit;
}
