using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>
/// The core under random links, answers, cancels, restarts and congestion, with a Worker that keeps a journal and one that keeps none. Strict machines: a trigger that no state handles fails the
/// run. After the chaos everything is answered, and every promise about commands is checked from outside.
/// </summary>
public sealed class ChaosTests
{
    /// <summary>Fewer where the same tests run many times, as under mutation: ORK_CHAOS_RUNS says how many.</summary>
    private static readonly int Runs = int.TryParse(Environment.GetEnvironmentVariable("ORK_CHAOS_RUNS"), System.Globalization.CultureInfo.InvariantCulture, out var runs) ? runs : 25;

    [Theory]
    [InlineData(1)]
    [InlineData(1_000)]
    [InlineData(2_000)]
    public void Nothing_is_lost_doubled_or_falsely_reported_whatever_happens_in_whatever_order(int firstSeed)
    {
        for (var seed = firstSeed; seed < firstSeed + Runs; seed++)
        {
            try
            {
                new Run(seed).Play(steps: 400);
            }
            catch (Exception e)
            {
                throw new Xunit.Sdk.XunitException($"Seed {seed}: {e}");
            }
        }
    }

    [Fact]
    public void The_chaos_meets_every_transition_of_a_command_but_those_of_stopping_and_terminating()
    {
        // Only a stopping kernel rests in TIMEOUT, and this one never stops; late answers in DISPATCHED are too rare here, and its disk never stands. All have tests of their own.
        string[] elsewhere = ["Executing Withdrawn Timeout", "Timeout LateFailure Failed", "Timeout LateSuccess Success", "Dispatched LateFailure Failed", "Dispatched LateSuccess Success"];
        var missing = CommandMachine.Build(new SilentObserver(), true).Transitions.Where(row => row.Trigger is not ("ShuttingDown" or "Abandon"))
            .Select(row => $"{row.From} {row.Trigger} {row.To}").Except(elsewhere).ToHashSet();
        for (var seed = 1; seed <= 40 && missing.Count > 0; seed++)
        {
            var run = new Run(seed);
            run.Play(steps: 400);
            missing.ExceptWith(run.Transitions);
        }

        Assert.Empty(missing);
    }

    /// <summary>One world: the core, two Workers that are played here, and what callers and devices know.</summary>
    private sealed class Run
    {
        private readonly Random _random;
        private readonly CoreHarness _ork = new(new KernelOptions
        {
            Commands = new CommandOptions { WindowPerWorker = 3, AttemptTimeoutMs = 1_500, BackoffBaseMs = 50, BackoffCapMs = 400, MaxRetries = 3, MaxRecoveries = 50, DefaultDeadlineMs = 60_000 },
            Schedule = new ScheduleOptions { HealthIntervalMs = 500, StateIntervalMs = 900, TelemetryIntervalMs = 1_100 },
            Health = new HealthOptions { PingTimeoutMs = 300 },
            Links = new LinkOptions { MaxRegistrations = 1, RegistrationTimeoutMs = 800, RetryBaseMs = 50, RetryCapMs = 200 },
        });

        private readonly PlayedWorker[] _workers = [new("w1", ["a1", "a2", "a3"], true), new("w2", ["b1", "b2"], false)];
        private readonly Dictionary<string, int> _executions = [];
        private readonly Dictionary<string, bool> _accepted = [];
        private readonly Dictionary<string, string> _ended = [];
        private readonly HashSet<string> _cancelled = [];
        private readonly Dictionary<string, string> _byKey = [];
        private long _sessions;
        private int _seen;

        internal Run(int seed) => _random = new Random(seed);

        internal IEnumerable<string> Transitions => _ork.Observer.Transitions.Where(row => row.Machine == "command").Select(row => $"{row.From} {row.Trigger} {row.To}");

        internal void Play(int steps)
        {
            for (var step = 0; step < steps; step++) Step();
            Heal();
            Check();
        }

        private void Step()
        {
            var worker = _workers[_random.Next(_workers.Length)];
            switch (_random.Next(20))
            {
                case 0 or 1:
                    Connect(worker);
                    break;
                case 2 when _random.Next(3) == 0:
                    Disconnect(worker);
                    break;
                case 3 or 4 or 5 or 6:
                    Order();
                    break;
                case 7:
                    Cancel();
                    break;
                case 8:
                    Look();
                    break;
                case 9 when worker.Session > 0:
                    _ork.Do(_random.Next(2) == 0 ? InputKind.LinkCongested : InputKind.LinkDrained, worker.Session);
                    break;
                case 10 when _random.Next(12) == 0:
                    Restart();
                    break;
                case 11 or 12:
                    _ork.Pass(_random.Next(1, 900));
                    break;
                default:
                    Answer(worker);
                    break;
            }

            Collect();
        }

        private void Connect(PlayedWorker worker)
        {
            if (worker.Session > 0 && _random.Next(8) > 0) return;
            worker.Pending.Clear();
            worker.Session = ++_sessions;
            if (_random.Next(12) == 0) worker.LoseJournal();
            worker.Incarnations.Insert(0, $"{_sessions}");
            _ork.Link(worker.Session, worker.Id, worker.Id);
        }

        private void Disconnect(PlayedWorker worker)
        {
            if (worker.Session == 0) return;
            var session = worker.Session;
            worker.Session = 0;
            worker.Pending.Clear();
            _ork.Do(InputKind.LinkDown, session);
        }

        private void Restart()
        {
            foreach (var worker in _workers)
            {
                worker.Session = 0;
                worker.Pending.Clear();
            }

            _ork.Restart();
            _seen = _ork.Effects.Count;
        }

        /// <summary>What left the core: requests wait at their Worker, a closed link is gone as the shell would tell it.</summary>
        private void Collect()
        {
            while (_seen < _ork.Effects.Count)
            {
                var effect = _ork.Effects[_seen++];
                var worker = Array.Find(_workers, candidate => candidate.Session == effect.Session && effect.Session > 0);
                if (worker is null) continue;
                if (effect.Kind == EffectKind.Close) Disconnect(worker);
                else worker.Pending.Add(effect);
            }
        }

        private void Order()
        {
            var worker = _workers[_random.Next(_workers.Length)];
            var device = worker.Devices[_random.Next(worker.Devices.Length)];
            var idempotent = _random.Next(2) == 0;
            var body = idempotent ? "\"command\":\"set-led\",\"params\":{\"on\":true}" : "\"command\":\"reboot\"";
            var key = _random.Next(3) == 0 ? $"k{_random.Next(40)}" : null;
            if (key is not null) body += $",\"idempotencyKey\":\"{key}\"";
            if (_random.Next(6) == 0) body += $",\"deadlineMs\":{_random.Next(1, 3_000)}";
            var answer = _ork.AskOne("command.request", "{" + body + "}", device);
            if (!answer.TryGetProperty("commandId", out var id)) return;
            if (key is not null)
            {
                if (_byKey.TryGetValue(key, out var first)) Assert.Equal(first, id.GetString());
                _byKey[key] = id.GetString()!;
            }

            _accepted.TryAdd(id.GetString()!, idempotent);
        }

        private void Cancel()
        {
            if (_accepted.Count == 0) return;
            var id = _accepted.Keys.ElementAt(_random.Next(_accepted.Count));
            if (_ork.AskOne("command.cancel", $$"""{"commandId":"{{id}}"}""").GetProperty("cancelled").GetBoolean()) _cancelled.Add(id);
        }

        private void Look()
        {
            foreach (var id in _accepted.Keys)
            {
                var status = _ork.Status(id).GetRawText();
                if (_ended.TryGetValue(id, out var end)) Assert.Equal(end, status);
                else if (status.Contains("\"SUCCESS\"", StringComparison.Ordinal) || status.Contains("\"FAILED\"", StringComparison.Ordinal)) _ended[id] = status;
            }
        }

        /// <summary>The Worker answers one of its requests, the oldest or any; or drops it; or dies in the middle of it.</summary>
        private void Answer(PlayedWorker worker, bool honestly = false)
        {
            if (worker.Pending.Count == 0) return;
            var request = worker.Pending[honestly ? 0 : _random.Next(worker.Pending.Count)];
            worker.Pending.Remove(request);
            if (!honestly && _random.Next(15) == 0) return;
            switch (request.Action)
            {
                case OrkAction.HealthPing:
                    _ork.Answer(request, """{"status":"ok"}""");
                    break;
                case OrkAction.IdentityRequest:
                    _ork.Answer(request, CoreHarness.Identity(worker.Id, worker.Devices, worker.HasJournal, worker.HasJournal ? [.. worker.Incarnations] : []));
                    break;
                case OrkAction.CapabilityRequest:
                    _ork.Answer(request, $$"""{"contract":{{CoreHarness.DefaultContract}}}""");
                    break;
                case OrkAction.CommandRequest:
                    Execute(worker, request, honestly);
                    break;
                default:
                    _ork.Answer(request, """{"state":{}}""");
                    break;
            }
        }

        /// <summary>A Worker may have no place, or no room in its journal. Else it does what the runtime's journal does: once started, a command is answered and not executed, unless the kernel lets it be.</summary>
        private void Execute(PlayedWorker worker, Seen request, bool honestly)
        {
            if (!honestly && _random.Next(12) == 0)
            {
                _ork.Result(request, "FAILED", _random.Next(2) == 0 ? "\"ERR_WORKER_BUSY\"" : "\"ERR_JOURNAL_FAILED\"");
                return;
            }

            var id = request.Payload.GetProperty("commandId").GetString()!;
            var reexecute = request.Payload.TryGetProperty("reexecute", out _);
            if (worker.HasJournal && worker.Journal.TryGetValue(id, out var recorded) && (recorded is not null || !reexecute))
            {
                _ork.Result(request, recorded ?? "UNKNOWN", "null");
                return;
            }

            worker.Journal[id] = null;
            _executions[id] = _executions.GetValueOrDefault(id) + 1;
            if (!honestly && _random.Next(10) == 0)
            {
                Disconnect(worker);
                return;
            }

            worker.Journal[id] = _random.Next(8) == 0 ? "FAILED" : "SUCCESS";
            _ork.Result(request, worker.Journal[id]!, worker.Journal[id] == "FAILED" ? "\"broken\"" : "null");
        }

        private void Heal()
        {
            for (var round = 0; round < 3_000 && _ork.Core.Ledger.Open > 0; round++)
            {
                foreach (var worker in _workers)
                {
                    if (worker.Session == 0) Connect(worker);
                    Collect();
                    if (worker.Session > 0) _ork.Do(InputKind.LinkDrained, worker.Session);
                    Collect();
                    while (worker.Pending.Count > 0)
                    {
                        Answer(worker, honestly: true);
                        Collect();
                    }
                }

                _ork.Pass(50);
                Collect();
            }

            Look();
        }

        private void Check()
        {
            Assert.Equal(0, _ork.Core.Ledger.Open);
            Assert.Equal(0, _ork.Core.Ledger.InFlight);
            foreach (var (id, idempotent) in _accepted)
            {
                var executed = _executions.GetValueOrDefault(id);
                Assert.True(_ended.TryGetValue(id, out var end), $"L2: {id} has no end.");
                Assert.True(executed <= (idempotent ? 60 : 1), $"S3: {id} was executed {executed} times.");
                if (_cancelled.Contains(id)) Assert.Equal(0, executed);
                if (end!.Contains("\"SUCCESS\"", StringComparison.Ordinal)) Assert.True(executed > 0, $"S11: {id}.");
                if (end.Contains("\"not-started\"", StringComparison.Ordinal)) Assert.True(executed == 0, $"{id} was executed and is told as not started: {end}");
            }
        }
    }

    private sealed class PlayedWorker(string id, string[] devices, bool hasJournal)
    {
        internal string Id { get; } = id;

        internal string[] Devices { get; } = devices;

        /// <summary>False: it executes whatever it is sent, and only the kernel stands between a device and a second execution.</summary>
        internal bool HasJournal { get; } = hasJournal;

        internal long Session { get; set; }

        internal List<Seen> Pending { get; } = [];

        /// <summary>Null for a command that was started and has no recorded end.</summary>
        internal Dictionary<string, string?> Journal { get; } = [];

        internal List<string> Incarnations { get; } = [];

        /// <summary>Its disk is replaced.</summary>
        internal void LoseJournal()
        {
            Journal.Clear();
            Incarnations.Clear();
        }
    }
}
