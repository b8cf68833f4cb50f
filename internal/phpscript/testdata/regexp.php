<?php
$login = strtolower($_SERVER['HTTP_AUTH_USER']);
$backends = array('muc' => '10.6.0.1', 'ber' => '10.6.0.2');
if (preg_match('/@(munich|muenchen)\.test$/', $login)) {
    $host = $backends['muc'];
} elseif (preg_match('/^[^@]+@(?:www\.)?berlin\.test$/i', $login)) {
    $host = $backends['ber'];
} elseif (preg_match('#^(.+)@(.+)$#', $login, $m) && $m[2] === 'bonn.test') {
    $host = '10.6.0.3';
} elseif (preg_match('/^[a-m].*@koeln\.test$/', $login)) {
    $host = '10.6.0.4';
} else {
    header('Auth-Status: Invalid login or password');
    return;
}
header('Auth-Status: OK');
header("Auth-Server: $host");
header('Auth-Port: ' . array('pop3' => 110, 'imap' => 143, 'smtp' => 25)[$_SERVER['HTTP_AUTH_PROTOCOL']]);
