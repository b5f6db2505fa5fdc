// role: Worker
using Ork.Protocol;
//# reports: for ever, without a pause
class C { async Task<int> Go(Func<Task<int>> ask) { while (true) { try { return await ask(); } catch (IOException) { } } } }
//# reports: for ever, at a steady pace
class C(TimeProvider time) { async Task<int> Go(Func<Task<int>> ask) { while (true) { try { return await ask(); } catch (Exception) { await Task.Delay(TimeSpan.FromSeconds(1), time); } } } }
//# reports: limited, at a steady pace
class C(TimeProvider time) { async Task Go(Func<Task> ask) { for (var i = 0; i < 5; i++) { try { await ask(); return; } catch (IOException) { await Task.Delay(TimeSpan.FromSeconds(1), time); } } } }
//# reports: limited, growing, without jitter
class C(TimeProvider time) { async Task Go(Func<Task> ask) { var pause = 100; for (var i = 0; i < 5; i++) { try { await ask(); return; } catch (IOException) { await Task.Delay(TimeSpan.FromMilliseconds(pause), time); pause *= 2; } } } }
//# reports: growing with jitter, without a limit
class C(TimeProvider time, IEntropy entropy) { async Task Go(Func<Task> ask) { for (var i = 0; ; i++) { try { await ask(); return; } catch (IOException) { await Task.Delay(TimeSpan.FromMilliseconds(entropy.FullJitterMs(i, 100, 5_000)), time); } } } }
//# reports: the condition is the try
class C(TimeProvider time) { Task<bool> TrySendAsync() => Task.FromResult(true); async Task Go() { while (!await TrySendAsync()) await Task.Delay(TimeSpan.FromSeconds(1), time); } }
//# reports: a flag that ends the loop
class C { async Task Go(Func<Task> ask) { var done = false; while (!done) { try { await ask(); done = true; } catch (Exception) { } } } }
//# reports: a loop that returns once connected
class C(TimeProvider time) { Task<object?> ConnectAsync() => Task.FromResult<object?>(null); async Task<object> Go() { while (true) { if (await ConnectAsync() is { } link) return link; await Task.Delay(TimeSpan.FromSeconds(5), time); } } }
//# reports: calls itself where it failed
class C { async Task<int> Go(Func<Task<int>> ask) { try { return await ask(); } catch (IOException) { return await Go(ask); } } }
//# reports Caller: a do loop in a local function
class C { Task Go(Func<Task> ask) { return Again(); async Task Again() { bool failed; do { failed = false; try { await ask(); break; } catch (IOException) { failed = true; } } while (failed); } } }
//# reports Kernel: in a generic helper, with continue
class C(TimeProvider time) { async Task<T> Go<T>(Func<Task<T>> ask) { while (true) { T result; try { result = await ask(); } catch (IOException) { await Task.Delay(TimeSpan.FromSeconds(1), time); continue; } return result; } } }
//# reports: in a lambda
class C { Func<Func<Task>, Task> Go = async ask => { while (true) { try { await ask(); break; } catch (IOException) { } } }; }
//# reports: a jump back
class C { async Task<int> Go(Func<Task<int>> ask) { again: try { return await ask(); } catch (IOException) { goto again; } } }
//# silent: a limit, backoff and jitter
class C(TimeProvider time, IEntropy entropy) { async Task Go(Func<Task> ask) { for (var i = 0; i < 5; i++) { try { await ask(); return; } catch (IOException) { await Task.Delay(TimeSpan.FromMilliseconds(entropy.FullJitterMs(i, 100, 5_000)), time); } } } }
//# silent: limited by a filter
class C(TimeProvider time, IEntropy entropy) { async Task<int> Go(Func<Task<int>> ask) { for (var i = 0; ; i++) { try { return await ask(); } catch (IOException) when (i < 5) { var pause = entropy.FullJitterMs(i, 100, 5_000); await Task.Delay(TimeSpan.FromMilliseconds(pause), time); } } } }
//# silent: limited by a throw
class C(TimeProvider time, IEntropy entropy) { async Task<int> Go(Func<Task<int>> ask) { var failures = 0; while (true) { try { return await ask(); } catch (IOException) { if (++failures >= 5) throw; await Task.Delay(TimeSpan.FromMilliseconds(entropy.FullJitterMs(failures, 100, 5_000)), time); } } } }
//# silent: as long as it is not cancelled
class C(TimeProvider time, IEntropy entropy) { async Task Go(Func<Task> ask, CancellationToken token) { for (var i = 0; !token.IsCancellationRequested; i++) { try { await ask(); return; } catch (IOException) { await Task.Delay(TimeSpan.FromMilliseconds(entropy.FullJitterMs(i, 100, 5_000)), time, token); } } } }
//# silent: growing by itself, with a part by chance
class C(TimeProvider time, IEntropy entropy) { async Task Go(Func<Task> ask) { long pause = 100; for (var i = 0; i < 9; i++) { try { await ask(); return; } catch (IOException) { await Task.Delay(TimeSpan.FromMilliseconds(pause + entropy.Below(pause)), time); pause *= 2; } } } }
//# silent: a backoff of one's own
class C(TimeProvider time, IEntropy entropy) { long Backoff(int attempt) => entropy.FullJitterMs(attempt, 100, 5_000); async Task Go(Func<Task> ask) { for (var i = 0; i < 9; i++) { try { await ask(); return; } catch (IOException) { await Task.Delay(TimeSpan.FromMilliseconds(Backoff(i)), time); } } } }
//# silent: a loop over what arrives
class C { async Task Go(Func<Task<int>> next, Action<int> take) { while (true) { try { take(await next()); } catch (IOException) { } } } }
//# silent: a loop over items
class C { async Task Go(string[] devices, Func<string, Task> ask) { foreach (var device in devices) { try { await ask(device); } catch (IOException) { } } } }
//# silent: a poll at a steady pace
class C(TimeProvider time) { async Task<int> Go(Func<Task<int?>> look) { while (true) { if (await look() is { } seen) return seen; await Task.Delay(TimeSpan.FromSeconds(1), time); } } }
//# silent: a catch that gives up
class C { async Task<int> Go(Func<Task<int>> ask) { while (true) { try { return await ask(); } catch (IOException) { return -1; } } } }
//# silent: a catch that throws
class C { async Task<int> Go(Func<Task<int>> ask) { while (true) { try { return await ask(); } catch (IOException e) { throw new InvalidOperationException("x", e); } } } }
//# silent: taking from a queue
class C { int Go(Queue<int> of) { var sum = 0; while (of.TryDequeue(out var item)) sum += item; return sum; } }
//# silent: a read loop
class C { async Task Go(IConnection link) { while (await link.ReceiveAsync() is { } frame) frame.Release(); } }
//# silent: calls itself with one try fewer
class C(TimeProvider time, IEntropy entropy) { async Task<int> Go(Func<Task<int>> ask, int attempt) { try { return await ask(); } catch (IOException) when (attempt < 5) { await Task.Delay(TimeSpan.FromMilliseconds(entropy.FullJitterMs(attempt, 100, 5_000)), time); return await Go(ask, attempt + 1); } } }
//# silent Edge: an assembly of role Edge
class C { async Task<int> Go(Func<Task<int>> ask) { while (true) { try { return await ask(); } catch (IOException) { } } } }
//# reports: for ever, by an endless for
class C(TimeProvider time) { async Task<int> Go(Func<Task<int>> ask) { for (; ; ) { try { return await ask(); } catch { await Task.Delay(TimeSpan.FromSeconds(2), time); } } } }
//# reports: three times, at once
class C { async Task<int> Go(Func<Task<int>> ask) { var left = 3; while (left-- > 0) { try { return await ask(); } catch (TimeoutException) { } } return -1; } }
//# silent: a deadline
class C(TimeProvider time, IEntropy entropy) { async Task Go(Func<Task> ask, long untilMs) { var failures = 0; while (time.GetTimestamp() < untilMs) { try { await ask(); return; } catch (IOException) { await Task.Delay(TimeSpan.FromMilliseconds(entropy.FullJitterMs(failures++, 50, 900)), time); } } } }
