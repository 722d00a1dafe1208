-- wrk: post the bytes of one file again and again; print the outcome as one line of JSON.
-- Arguments: the file; optionally the milliseconds each connection waits before each request.

function init(args)
  local file = assert(io.open(args[1], "rb"))
  wrk.method = "POST"
  wrk.body = file:read("*a")
  file:close()
  if args[2] then
    local pause_ms = tonumber(args[2])
    delay = function() return pause_ms end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format(
    '{"requests":%d,"duration_us":%d,"failed":%d,"p50_us":%d,"p99_us":%d}',
    summary.requests, summary.duration, failed,
    latency:percentile(50), latency:percentile(99)))
end
