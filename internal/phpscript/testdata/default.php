<?php
if ($_SERVER['REMOTE_ADDR'] != '127.0.0.1' || $_SERVER['HTTP_X_AUTH_KEY'] !== 'hunter2') { header('Auth-Status: Denied'); exit; }
if ($_SERVER['HTTP_AUTH_METHOD'] != 'plain') { header('Auth-Status: Only plain'); exit; }
$user = $_SERVER['HTTP_AUTH_USER'];
$newserver = '10.9.0.2';
list(, $domain) = explode('@', $user);
$ip = $domain == 'new.test' ? $newserver : '10.9.0.1';
$users = parse_ini_file('/etc/mail/users.ini');
if ($users[$user] !== md5($_SERVER['HTTP_AUTH_PASS'])) { header('Auth-Status: Wrong'); exit; }
header('Auth-Status: OK');
header("Auth-Server: $ip");
header('Auth-Port: ' . (($_SERVER['HTTP_AUTH_PROTOCOL'] == 'pop3') ? 110 : 143));
