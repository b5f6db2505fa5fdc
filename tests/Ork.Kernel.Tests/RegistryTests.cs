using System.Globalization;
using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>Worker Registry and Health Monitor, by architecture.md.</summary>
public sealed class RegistryTests
{
    private readonly CoreHarness _ork = new();

    [Fact]
    public void A_new_link_is_pinged_and_asked_at_once()
    {
        var asked = _ork.Link();
        Assert.Equal([OrkAction.HealthPing, OrkAction.IdentityRequest], asked.Select(seen => seen.Action));
        Assert.All(asked, seen => Assert.True(seen.AtOnce));
    }

    [Fact]
    public void A_pong_that_says_nothing_is_no_pong()
    {
        _ork.Register();
        var ping = _ork.Pass(6_000).First(seen => seen.Action == OrkAction.HealthPing);
        _ork.Answer(ping, """{"status":""}""");
        Assert.Equal(HealthState.Sick, _ork.Core.Health.Of(_ork.Core.Registry.FindWorker("w1")!));
        Assert.Contains(KernelEvent.AnswerInvalid, _ork.Observer.Events);
    }

    [Fact]
    public void A_workerId_is_bound_to_its_first_key_also_over_a_restart()
    {
        _ork.Register();
        AssertRefused(_ork.Link(session: 2, key: "thief"), ErrorCodes.WorkerKeyMismatch);
        _ork.Restart();
        AssertRefused(_ork.Link(session: 3, key: "thief"), ErrorCodes.WorkerKeyMismatch);
    }

    [Fact]
    public void S6_a_claim_on_a_live_Workers_device_is_refused_for_that_device_and_granted_once_the_owner_is_dead()
    {
        _ork.Register(devices: ["d1", "d2"]);
        _ork.Register(session: 2, workerId: "w2", devices: ["d2", "d3"], key: "k2");
        Assert.Equal(["w1", "w1", "w2"], new[] { "d1", "d2", "d3" }.Select(OwnerOf));
        Assert.Equal("ERR_DEVICE_CONFLICT: w2 claims it of w1", _ork.Observer.Details[_ork.Observer.Events.IndexOf(KernelEvent.DeviceConflict)]);
        _ork.Do(InputKind.LinkDown, 1);
        foreach (var _ in Enumerable.Range(0, 8)) KeepAlive(2, 5_000);
        Assert.Equal(["w1", "w2", "w2"], new[] { "d1", "d2", "d3" }.Select(OwnerOf));
        Assert.Equal(["d1:w1", "d2:w2", "d3:w2"], _ork.Disk.Devices.Select(row => $"{row.DeviceId}:{row.WorkerId}"));
    }

    [Fact]
    public void Giving_up_a_device_never_touches_another_Workers_entry()
    {
        _ork.Register(devices: ["d1", "d2"]);
        _ork.Register(session: 2, workerId: "w2", devices: ["d2"], key: "k2");
        _ork.Do(InputKind.LinkDown, 2);
        _ork.Register(session: 3, workerId: "w2", devices: ["d9"], key: "k2");
        Assert.Equal("w1", OwnerOf("d2"));
        _ork.Do(InputKind.LinkDown, 1);
        _ork.Register(session: 4, devices: ["d1"]);
        Assert.Null(_ork.Core.Registry.FindDevice("d2"));
        Assert.Equal(["d1", "d9"], _ork.Disk.Devices.Select(row => row.DeviceId));
    }

    [Fact]
    public void Registrations_in_progress_are_capped_and_those_waiting_have_their_turn()
    {
        var ork = new CoreHarness(new KernelOptions { Links = new LinkOptions { MaxRegistrations = 2 } });
        var asked = Enumerable.Range(1, 5).SelectMany(i => ork.Link(session: i, workerId: $"w{i}", key: $"k{i}")).ToList();
        Assert.Equal(2, asked.Count(seen => seen.Action == OrkAction.IdentityRequest));
        var ready = 0;
        while (asked.FirstOrDefault(seen => seen.Action is OrkAction.IdentityRequest or OrkAction.CapabilityRequest) is { } question)
        {
            Assert.InRange(ork.Core.Registry.Registering, 1, 2);
            asked.Remove(question);
            var isIdentity = question.Action == OrkAction.IdentityRequest;
            asked.AddRange(ork.Answer(question, isIdentity
                ? CoreHarness.Identity($"w{question.Session}", [$"d{question.Session}"])
                : $$"""{"contract":{{CoreHarness.DefaultContract}}}"""));
            if (!isIdentity) ready++;
        }

        Assert.Equal((5, 0), (ready, ork.Core.Registry.Registering));
    }

    [Fact]
    public void S12_who_waits_to_be_registered_waits_once_however_often_it_comes_back()
    {
        var ork = new CoreHarness(new KernelOptions { Links = new LinkOptions { MaxRegistrations = 1 } });
        ork.Link(session: 1, workerId: "w1", key: "k1");
        for (var session = 2; session < 6; session++) ork.Link(session, workerId: "w2", key: "k2");
        Assert.Single(ork.Observer.Events, KernelEvent.RegistrationWaits);
        Assert.Single(ork.Do(InputKind.LinkDown, 1), seen => seen is { Action: OrkAction.IdentityRequest, Session: 5 });
    }

    [Fact]
    public void Who_hangs_over_his_registration_keeps_nobody_else_waiting_and_may_still_end_it()
    {
        var options = new LinkOptions { MaxRegistrations = 2 };
        var ork = new CoreHarness(new KernelOptions { Links = options });
        var asked = Enumerable.Range(1, 5).SelectMany(i => ork.Link(session: i, workerId: $"w{i}", key: $"k{i}")).Where(IsIdentity).ToList();
        for (var under = 2; under <= 4; under += 2)
        {
            Assert.Equal((under, 2), (asked.Count, ork.Core.Registry.Registering));
            Assert.DoesNotContain(ork.Pass(options.PatienceMs - 90), IsIdentity);
            asked.AddRange(ork.Pass(100).Where(IsIdentity));
        }

        Assert.Equal((5, 1), (asked.Count, ork.Core.Registry.Registering));
        var contract = ork.Answer(asked[0], CoreHarness.Identity("w1", ["d1"])).Single(seen => seen.Action == OrkAction.CapabilityRequest);
        ork.Answer(contract, $$"""{"contract":{{CoreHarness.DefaultContract}}}""");
        Assert.Equal(WorkerState.Ready, ork.Core.Registry.FindWorker("w1")!.State);
        ork.Do(InputKind.LinkDown, 2);
        ork.Do(InputKind.LinkDown, 5);
        Assert.Equal(0, ork.Core.Registry.Registering);

        static bool IsIdentity(Seen seen) => seen.Action == OrkAction.IdentityRequest;
    }

    [Fact]
    public void A_failed_capability_pull_is_retried_with_backoff_and_frees_its_slot()
    {
        var asked = _ork.Link();
        var capability = _ork.Answer(asked.Single(seen => seen.Action == OrkAction.IdentityRequest), CoreHarness.Identity("w1", ["d1"])).Single();
        _ork.Answer(capability, """{"contract":"none"}""");
        Assert.Equal(0, _ork.Core.Registry.Registering);
        var again = _ork.Pass(2_000).First(seen => seen.Action == OrkAction.CapabilityRequest);
        _ork.Answer(again, $$"""{"contract":{{CoreHarness.DefaultContract}}}""");
        Assert.Equal(WorkerState.Ready, _ork.Core.Registry.FindWorker("w1")!.State);
    }

    [Fact]
    public void A_registration_that_fails_again_and_again_is_told_of_once_for_each_link()
    {
        var options = new LinkOptions();
        _ork.Link();
        for (var told = 1; told <= 2; told++)
        {
            for (var silent = 0; silent < 10; silent++) _ork.Pass(options.RegistrationTimeoutMs + options.RetryCapMs);
            Assert.Equal(told, _ork.Observer.Events.Count(what => what == KernelEvent.RegistrationStuck));
            if (told == 1) _ork.Link(session: 2);
        }
    }

    [Fact]
    public void That_links_of_one_Worker_take_each_others_place_is_told_once_until_one_ends_by_itself()
    {
        _ork.Register();
        for (var told = 1; told <= 2; told++)
        {
            for (var i = 1; i <= 6; i++)
            {
                _ork.Link(session: (10 * told) + i);
                Assert.Equal(i < 3 ? told - 1 : told, _ork.Observer.Events.Count(what => what == KernelEvent.LinkContested));
            }

            _ork.Do(InputKind.LinkDown, (10 * told) + 6);
            _ork.Link(session: (10 * told) + 9);
        }

        Assert.Equal("test and test", _ork.Observer.Details[_ork.Observer.Events.IndexOf(KernelEvent.LinkContested)]);
    }

    [Fact]
    public void Pauses_between_the_tries_of_a_registration_grow_to_the_cap()
    {
        var options = new LinkOptions();
        _ork.Link();
        for (var silent = 0; silent < 40; silent++) _ork.Pass(options.RegistrationTimeoutMs + options.RetryCapMs);
        var pauses = _ork.Observer.Events.Zip(_ork.Observer.Details).Where(told => told.First == KernelEvent.RegistrationRetry)
            .Select(told => long.Parse(told.Second!.Split("again in ")[1].Split(' ')[0], CultureInfo.InvariantCulture)).ToList();
        Assert.InRange(pauses[0], 1, options.RetryBaseMs + 1);
        Assert.InRange(pauses.Max(), options.RetryCapMs / 2, options.RetryCapMs + 1);
    }

    [Fact]
    public void A_contract_that_changed_is_kept_also_where_it_is_as_long_as_before()
    {
        _ork.Register();
        _ork.Do(InputKind.LinkDown, 1);
        _ork.Register(session: 2, contract: CoreHarness.DefaultContract.Replace("reboot", "reset!", StringComparison.Ordinal));
        _ork.Restart();
        Assert.NotNull(_ork.Core.Registry.FindWorker("w1")!.Contract!.Find("reset!"));
    }

    [Fact]
    public void A_newer_link_of_the_same_Worker_replaces_the_older_one()
    {
        _ork.Register();
        var id = _ork.Send();
        var effects = _ork.Link(session: 2);
        AssertRefused(effects.Where(seen => seen.Session == 1), ErrorCodes.LinkReplaced);
        Assert.Equal("QUEUED", _ork.StatusWord(id));
        _ork.Do(InputKind.LinkDown, 1);
        Assert.Equal(2, _ork.Core.Registry.FindWorker("w1")!.Link!.Session);
    }

    [Fact]
    public void One_failed_ping_makes_sick_three_in_a_row_dead_and_a_dead_ones_silent_link_is_closed()
    {
        var ork = new CoreHarness();
        ork.Register();
        var worker = ork.Core.Registry.FindWorker("w1")!;
        var seen = new List<HealthState>();
        var closed = new List<Seen>();
        for (var i = 0; i < 300 && ork.Core.Health.Of(worker) != HealthState.Dead; i++)
        {
            closed.AddRange(ork.Pass(100).Where(effect => effect.Kind == EffectKind.Close));
            if (seen.Count == 0 || seen[^1] != ork.Core.Health.Of(worker)) seen.Add(ork.Core.Health.Of(worker));
        }

        Assert.Equal([HealthState.Healthy, HealthState.Sick, HealthState.Dead], seen);
        AssertRefused(closed, ErrorCodes.WorkerUnresponsive);
        ork.Do(InputKind.LinkDown, 1);
        Assert.Equal("ERR_WORKER_NOT_ROUTABLE", ork.AskOne("command.request", """{"command":"reboot"}""", "d1").GetProperty("error").GetString());
        ork.Register(session: 2);
        Assert.Equal(HealthState.Healthy, ork.Core.Health.Of(worker));
    }

    [Fact]
    public void L1_where_one_failed_ping_makes_dead_the_first_one_does()
    {
        var ork = new CoreHarness(new KernelOptions { Health = new HealthOptions { DeadAfter = 1 } });
        ork.Register();
        var worker = ork.Core.Registry.FindWorker("w1")!;
        var pings = 0;
        for (var i = 0; i < 300 && ork.Core.Health.Of(worker) == HealthState.Healthy; i++) pings += ork.Pass(100).Count(effect => effect.Action == OrkAction.HealthPing);
        Assert.Equal((1, HealthState.Dead), (pings, ork.Core.Health.Of(worker)));
    }

    [Fact]
    public void L1_the_link_that_a_dead_Worker_got_anew_is_closed_too_once_as_many_of_its_pings_have_failed()
    {
        var ork = new CoreHarness();
        ork.Register();
        var worker = ork.Core.Registry.FindWorker("w1")!;
        ork.Do(InputKind.LinkDown, 1);
        for (var i = 0; i < 300 && ork.Core.Health.Of(worker) != HealthState.Dead; i++) ork.Pass(100);
        ork.Link(session: 2);
        var closed = new List<Seen>();
        var pings = 1;
        for (var i = 0; i < 300 && closed.Count == 0; i++)
        {
            var seen = ork.Pass(100);
            pings += seen.Count(effect => effect.Action == OrkAction.HealthPing);
            closed.AddRange(seen.Where(effect => effect.Kind == EffectKind.Close));
        }

        AssertRefused(closed, ErrorCodes.WorkerUnresponsive);
        Assert.Equal((2, 3), (closed[0].Session, pings));
        Assert.Equal(HealthState.Dead, ork.Core.Health.Of(worker));
    }

    [Fact]
    public void S12_the_link_of_a_Worker_that_leaves_too_much_unanswered_is_closed()
    {
        var ork = new CoreHarness(new KernelOptions { Pulls = new PullOptions { MaxPulls = 100_000, WindowPerWorker = 100_000 } });
        ork.Register();
        var outstanding = ork.Core.Registry.FindWorker("w1")!.Link!.Outstanding;
        for (var before = outstanding.Count; before < Exchanges.MaxOutstanding; before++) Assert.DoesNotContain(Pull(), static seen => seen.Kind == EffectKind.Close);
        AssertRefused(Pull(), ErrorCodes.WorkerUnresponsive);

        IReadOnlyList<Seen> Pull() => ork.Ask("telemetry.pull", $$$"""{"query":{"type":"metrics","number":{{{outstanding.Count}}}}}""", "d1");
    }

    [Fact]
    public void Who_loses_many_devices_at_once_is_told_once()
    {
        var events = new DeadOwners();
        var map = new DeviceMap(new LinkOptions(), new RecordingObserver(), events);
        var (former, other, heir) = (new WorkerEntry("w1", "k1"), new WorkerEntry("w2", "k2"), new WorkerEntry("w3", "k3"));
        map.Claim(former, ["d1", "d2", "d3"], new Turn());
        map.Claim(other, ["d4"], new Turn());
        map.Claim(heir, ["d3", "d4", "d1"], new Turn());
        Assert.Equal(["w1", "w2"], events.Losers);
        Assert.Equal(["w3", "w1", "w3", "w3"], new[] { "d1", "d2", "d3", "d4" }.Select(device => map.Find(device)!.Owner.WorkerId));
    }

    private sealed class DeadOwners : IWorkerEvents
    {
        internal List<string> Losers { get; } = [];

        public void DevicesLeft(WorkerEntry formerOwner, Turn turn) => Losers.Add(formerOwner.WorkerId);

        public bool IsDead(WorkerEntry worker) => true;

        public void WorkerKnown(WorkerEntry worker, Turn turn)
        {
        }

        public void WorkerLinked(WorkerEntry worker, Turn turn)
        {
        }

        public void JournalReplaced(WorkerEntry worker, Turn turn)
        {
        }

        public void WorkerReady(WorkerEntry worker, Turn turn)
        {
        }

        public void WorkerUnlinked(WorkerEntry worker, Turn turn)
        {
        }

        public void WorkerTerminated(WorkerEntry worker, Turn turn)
        {
        }
    }

    [Fact]
    public void S7_a_sick_Worker_is_sent_nothing_until_it_is_healthy_again()
    {
        _ork.Register();
        var worker = _ork.Core.Registry.FindWorker("w1")!;
        List<Seen> pings = [];
        for (var i = 0; i < 200 && _ork.Core.Health.Of(worker) == HealthState.Healthy; i++) pings.AddRange(_ork.Pass(100).Where(seen => seen.Action == OrkAction.HealthPing));
        Assert.Equal(HealthState.Sick, _ork.Core.Health.Of(worker));
        var id = _ork.Send();
        Assert.Equal("QUEUED", _ork.StatusWord(id));
        Seen? next = null;
        for (var i = 0; i < 60 && next is null; i++) next = _ork.Pass(100).FirstOrDefault(seen => seen.Action == OrkAction.HealthPing);
        Assert.Equal(0, _ork.CommandsSent());
        _ork.Answer(next!, """{"status":"ok"}""");
        Assert.Equal("EXECUTING", _ork.StatusWord(id));
    }

    [Fact]
    public void L4_every_known_Worker_is_pinged_at_its_interval_registered_or_not()
    {
        _ork.Link();
        var pings = _ork.Pass(20_000).Count(seen => seen.Action == OrkAction.HealthPing);
        Assert.InRange(pings, 3, 4);
    }

    [Theory]
    [InlineData(OrkAction.IdentityRequest)]
    [InlineData(OrkAction.CapabilityRequest)]
    public void S6_one_that_says_it_is_another_is_not_registered(OrkAction unasked)
    {
        var identity = _ork.Link().Single(seen => seen.Action == OrkAction.IdentityRequest);
        Assert.DoesNotContain(_ork.Answer(identity, CoreHarness.Identity("w2", ["d1"])), seen => seen.Action == unasked);
        Assert.Null(_ork.Core.Registry.FindDevice("d1"));
        Assert.Equal(WorkerState.Discovered, _ork.Core.Registry.FindWorker("w1")!.State);
    }

    [Fact]
    public void The_link_of_one_that_is_taken_out_of_service_is_closed_with_the_reason_once_that_is_durable()
    {
        _ork.Register();
        var effects = _ork.Ask("worker.terminate", """{"workerId":"w1"}""");
        AssertRefused(effects, ErrorCodes.WorkerTerminated);
        Assert.All(effects, static seen => Assert.False(seen.AtOnce));
        Assert.Contains(KernelEvent.WorkerTerminated, _ork.Observer.Events);
    }

    [Fact]
    public void Where_a_Worker_comes_from_is_stored_with_each_link()
    {
        _ork.Register();
        Assert.Equal("announce", Assert.Single(_ork.Disk.Workers).Endpoint);
        var target = new DialTarget(LinkEndpoint.Tcp("127.0.0.1", 1), null);
        _ork.Link(session: 2, target: target);
        Assert.Equal(target.Endpoint.ToString(), Assert.Single(_ork.Disk.Workers).Endpoint);
    }

    [Fact]
    public void A_device_whose_name_is_longer_than_any_may_be_is_nobodys() =>
        Assert.Equal("ERR_DEVICE_NOT_FOUND", _ork.AskOne("state.pull", "{}", new string('d', 3 * Greeting.MaxIdLength)).GetProperty("error").GetString());

    [Fact]
    public void Telemetry_goes_to_the_sinks_and_a_refusal_goes_nowhere()
    {
        _ork.Register();
        AnswerNext(OrkAction.TelemetryPull, """{"hashrate":1}""");
        Assert.Equal("w1", Assert.Single(_ork.Effects, seen => seen.Kind == EffectKind.Telemetry).Detail);
        AnswerNext(OrkAction.TelemetryPull, """{"status":"REJECTED","error":"ERR_WORKER_BUSY"}""");
        Assert.Single(_ork.Effects, seen => seen.Kind == EffectKind.Telemetry);
        Assert.Contains(_ork.Observer.Events, note => note == KernelEvent.PullRefused);
    }

    [Fact]
    public void Device_states_are_stored_when_they_change_and_only_then()
    {
        _ork.Register();
        var states = """{"state":{"d1":{"led":true},"stranger":{}}}""";
        AnswerNext(OrkAction.StatePull, states);
        Assert.Equal("""{"led":true}""", System.Text.Encoding.UTF8.GetString(_ork.Disk.Devices[0].State.Span));
        var before = _ork.Disk.Commits;
        AnswerNext(OrkAction.StatePull, states);
        Assert.Equal(before, _ork.Disk.Commits);
    }

    private void AnswerNext(OrkAction action, string payload)
    {
        for (var i = 0; i < 100; i++)
        {
            var seen = _ork.Pass(100).ToList();
            foreach (var ping in seen.Where(effect => effect.Action == OrkAction.HealthPing)) _ork.Answer(ping, """{"status":"ok"}""");
            if (seen.FirstOrDefault(effect => effect.Action == action) is { } pull)
            {
                _ork.Answer(pull, payload);
                return;
            }
        }

        Assert.Fail($"No {action} within ten seconds.");
    }

    private void KeepAlive(long session, long ms)
    {
        for (var until = _ork.NowMs + ms; _ork.NowMs < until;)
        {
            foreach (var ask in _ork.Pass(100).Where(seen => seen.Session == session))
            {
                if (ask.Action == OrkAction.HealthPing) _ork.Answer(ask, """{"status":"ok"}""");
                else if (ask.Action == OrkAction.StatePull) _ork.Answer(ask, """{"state":{}}""");
                else if (ask.Action == OrkAction.TelemetryPull) _ork.Answer(ask, "{}");
            }
        }
    }

    private string OwnerOf(string deviceId) => _ork.Core.Registry.FindDevice(deviceId)!.Owner.WorkerId;

    [Fact]
    public void More_Workers_or_devices_than_there_may_be_are_refused()
    {
        var options = new KernelOptions { Links = new LinkOptions { MaxWorkers = 1, MaxDevicesPerWorker = 2 } };
        var full = new CoreHarness(options);
        full.Register(devices: ["d1", "d2"]);
        Assert.NotNull(full.Core.Registry.FindDevice("d2"));
        var ork = new CoreHarness(options);
        var asked = ork.Link();
        ork.AnswerPing(asked);
        ork.Answer(asked.Single(seen => seen.Action == OrkAction.IdentityRequest), CoreHarness.Identity("w1", ["d1", "d2", "d3"]));
        Assert.Contains(KernelEvent.AnswerInvalid, ork.Observer.Events);
        Assert.Contains(ork.Observer.Details, detail => detail?.Contains(ErrorCodes.TooManyDevices.Code, StringComparison.Ordinal) == true);
        Assert.Null(ork.Core.Registry.FindDevice("d1"));
        AssertRefused(ork.Link(session: 2, workerId: "w2", key: "k2"), ErrorCodes.TooManyWorkers);
    }

    [Fact]
    public void S16_a_device_that_comes_and_goes_within_one_turn_is_gone_from_the_disk_too()
    {
        var batch = new CommitBatch();
        batch.Devices.Add(new DeviceRow("d1", "w1", default));
        batch.Devices.Add(new DeviceRow("d2", "w1", default));
        batch.Remove(new HashSet<string> { "d1" });
        Assert.Equal(["d2"], batch.Devices.Select(row => row.DeviceId));
        Assert.Equal(["d1"], batch.RemovedDevices);
    }

    private static void AssertRefused(IEnumerable<Seen> effects, ErrorCode code)
    {
        var closed = Assert.Single(effects, seen => seen.Kind == EffectKind.Close);
        Assert.Equal(code, ((Refusal)closed.Detail!).Error);
    }
}
