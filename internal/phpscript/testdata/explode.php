<?php
define('AUTH_LOG', '/var/log/' . 'mail/auth.log');
const EXCHANGE = '10.2.0.10';
define('DOVECOT', '10.2.0.20');

if (!isset($_SERVER['HTTP_AUTH_USER']) || empty($_SERVER['HTTP_AUTH_PASS'])) {
    Header('Auth-Status: Invalid login or password');
    die();
}

list($name, $domain) = EXPLODE('@', strtolower(trim($_SERVER['HTTP_AUTH_USER'])));
$ports = array('imap' => 10143, 'pop3' => 10110, 'smtp' => 10025);
$port = $ports[$_SERVER['HTTP_AUTH_PROTOCOL']];

error_log(date('c') . " $name\n", 3, AUTH_LOG);

$ours = 'alpha.test';
$theirs = "beta" . ".test";
if ($domain == $ours) {
    $server = EXCHANGE;
} elseif ($domain == $theirs || $domain == 'gamma.test') {
    $server = DOVECOT;
} else {
    header('Auth-Status: Invalid login or password');
    exit(0);
}

$fp = fsockopen('tls://' . $server, 993, $errno, $errstr, 5) or die('no server');
fgets($fp);
fputs($fp, 'a LOGIN ' . $_SERVER['HTTP_AUTH_USER'] . ' ' . $_SERVER['HTTP_AUTH_PASS'] . "\r\n");
$answer = fgets($fp);
if (substr($answer, 0, 4) != 'a OK') {
    header('Auth-Status: Invalid login or password');
    exit;
}
header('Auth-Status: OK');
header('Auth-Server: ' . $server);
header('Auth-Port: ' . $port);
header('Auth-User: ' . $_SERVER['HTTP_AUTH_USER']);
?>
