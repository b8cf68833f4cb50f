<html><?php
$user = getenv("HTTP_AUTH_USER");
$protocol = getenv("HTTP_AUTH_PROTOCOL");
$logfile = "/srv/log/auth.log";
file_put_contents($logfile, "login of $user\n", FILE_APPEND);
$domain = substr(strrchr($user, "@"), 1);

switch ($domain):
    case "one.test":
    case "two.test":
        $server = "192.0.2.1";
        break;
    case 'three.test':
        $extra = true; # falls through
    case 'four.test':
        $server = "192.0.2.2";
        break;
    case 'one.test':
        $server = "192.0.2.3";
        break;
    default:
        header("Auth-Status: $domain is not ours");
        exit;
endswitch;

$backend_port = $protocol == "imap" ? 143 : ($protocol == "smtp" ? 25 : 110);
if (checked($server, $backend_port)) {
    header("Auth-Status: OK");
    header("Auth-Server: {$server}");
    header("Auth-Port: ${backend_port}");
} else {
    header("Auth-Status: Login failed");
}

function checked($server, $port) {
    $socket = @fsockopen($server, $port);
    if ($socket == false) { return false; }
    do { $line = fgets($socket, 128); } while ($line !== false && $line[3] == '-');
    $ok = strncmp($line, "+OK", 3) == 0;
    return $ok;
}
?>
</html>
