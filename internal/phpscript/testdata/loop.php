<?php
$domains = array(
    array('name' => 'ash.test', 'server' => 'tree1'),
    array('name' => 'oak.test', 'server' => 'tree2'),
    array('name' => 'elm.test', 'server' => 'tree1'),
);
$backend_ip["tree1"] = "10.7.0.1";
$backend_ip["tree2"] = "10.7.0.2";

function findServer($user) {
    global $domains, $backend_ip;
    foreach ($domains as $d) {
        $end = '@' . $d['name'];
        if (substr($user, -strlen($end)) == $end) {
            return $backend_ip[$d['server']];
        }
    }
    return '';
}

$ip = findServer($_SERVER['HTTP_AUTH_USER']);
$backend_port = 110;
if ($_SERVER['HTTP_AUTH_PROTOCOL'] == "imap") { $backend_port = 143; }
if ($_SERVER['HTTP_AUTH_PROTOCOL'] == "smtp") { $backend_port = 25; }

$ch = curl_init("imap://$ip");
curl_setopt($ch, CURLOPT_USERPWD, $_SERVER['HTTP_AUTH_USER'] . ':' . $_SERVER['HTTP_AUTH_PASS']);
$ok = curl_exec($ch);
if ($ip == '' || $ok === false) {
    header("Auth-Status: Invalid login or password");
    exit;
}
header("Auth-Status: OK");
header("Auth-Server: $ip");
header("Auth-Port: $backend_port");
