<?php
// conditions that have more to them than the domain
$user = $_SERVER['HTTP_AUTH_USER'];
$d = substr($user, strpos($user, '@') + 1);
$ip = null;
if ($d == 'plain.test') $ip = '10.8.0.1';
if ($d == 'office.test' && $_SERVER['HTTP_CLIENT_IP'] == '192.0.2.9') $ip = '10.8.0.2';
if (!($d != 'not.test')) $ip = '10.8.0.3';
if ($d == 'unset.test' && $night) $ip = '10.8.0.4';
if ($d == 'twice.test') {
    if (rand(0, 1)) { $ip = '10.8.0.5'; } else { $ip = '10.8.0.6'; }
}
if ($d == 'moved.test') $ip = '10.8.0.1';
if ($d == 'moved.test') $ip = '10.8.0.7';
if ($user == 'boss@own.test') $ip = '10.8.0.8';
if ($d == 'blocked.test') $ip = false;
if ($d == 'time.test' && date('H') > 8) $ip = '10.8.0.9';
if (!$ip || !($s = fsockopen($ip, 110)) || fgets($s) != '+OK') {
    header('Auth-Status: Invalid login or password');
    exit;
}
header('Auth-Status: OK');
header("Auth-Server: $ip");
header('Auth-Port: ' . ['pop3' => 110, 'imap' => 143, 'smtp' => 25][$_SERVER['HTTP_AUTH_PROTOCOL']]);
