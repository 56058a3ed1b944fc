<?php
// PHP-FPM's habits: a persistent connection, prepared statements, APCu.  The
// settings are a PHP file, which opcache keeps.
declare(strict_types=1);

$settings = require $_SERVER['PEER_SETTINGS'];

function refuse(int $status, string $words): never
{
	http_response_code($status);
	echo json_encode(['error' => $words], JSON_UNESCAPED_UNICODE);
	exit;
}

function user(array $settings): array
{
	$token = explode(' ', $_SERVER['HTTP_AUTHORIZATION'] ?? '')[1] ?? '';
	$parts = explode('.', $token);
	if (count($parts) !== 3)
		refuse(401, $settings['texts']['token_invalid']);
	$mac = strtr(rtrim(base64_encode(hash_hmac('sha256',
	    "$parts[0].$parts[1]", $settings['secret'], true)), '='), '+/', '-_');
	$claims = json_decode(base64_decode(strtr($parts[1], '-_', '+/')), true);
	if (!hash_equals($mac, $parts[2]) || $claims['exp'] < time())
		refuse(401, $settings['texts']['token_invalid']);
	return $claims;
}

function run(array $settings, string $name, array $values): ?array
{
	$statement = $settings['statements'][$name];
	$connection = pg_pconnect(
	    "$settings[dsn] options='$settings[options]'");
	$list = array_map(fn ($a) => $values[$a] ?? null,
	    $statement['arguments']);
	// A persistent connection has it prepared, but for the first time.
	$result = @pg_execute($connection, $name, $list);
	if ($result === false) {
		pg_prepare($connection, $name, $statement['numbered']);
		$result = pg_execute($connection, $name, $list);
	}
	return pg_fetch_assoc($result) ?: null;
}

function stats(array $settings, array $user): array
{
	return run($settings, 'dashboard_stats', ['today' => $settings['today'],
	    'operator' => $user['role'] === 'operator' ? $user['user_id'] : null]);
}

header('Content-Type: application/json');
$user = user($settings);
$path = strtok($_SERVER['REQUEST_URI'], '?');

if ($path === '/api/dashboard/stats') {
	$key = 'stats:' . $user['user_id'];
	$body = apcu_fetch($key);
	if ($body === false) {
		$body = stats($settings, $user)['body'];
		apcu_store($key, $body, 30);
	}
	echo $body;
	exit;
}
if ($path === '/uncached/dashboard/stats')
	$row = stats($settings, $user);
elseif ($path === '/api/jobs')
	$row = run($settings, 'jobs', $_GET + ['today' => $settings['today']]);
elseif ($path === '/api/customers')
	$row = run($settings, 'customers', $_GET);
elseif (preg_match('#^/api/jobs/steps/([^/]+)/notes$#', $path, $m))
	$row = run($settings, 'step_note', ['id' => $m[1],
	    'me' => $user['user_id'], 'body' => file_get_contents('php://input')]);
elseif (preg_match('#^/api/jobs/([^/]+)$#', $path, $m))
	$row = run($settings, 'job', ['id' => $m[1]]);
if (!isset($row))
	refuse(404, $settings['texts']['not_found']);
http_response_code((int)($row['status'] ?? 200));
if (isset($row['message']))
	echo '{"message":', json_encode($settings['texts'][$row['message']]), ',',
	    substr($row['body'], 1);
else
	echo $row['body'];
