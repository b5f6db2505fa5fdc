using Ork.Protocol;

namespace Ork.Kernel.Tests;

/// <summary>The dialler: whom discovery names is dialled, so many at a time and with pauses that grow (S12, S25).</summary>
public sealed class DialerTests
{
    private static readonly DialTarget[] Target = [new DialTarget(LinkEndpoint.Tcp("127.0.0.1", 1), null)];

    private readonly CoreHarness _ork = new();

    [Fact]
    public void Dialled_Workers_are_dialled_again_with_backoff_and_no_more_at_once_than_allowed()
    {
        var ork = new CoreHarness(new KernelOptions { Links = new LinkOptions { MaxDials = 2 } });
        var targets = Enumerable.Range(1, 3).Select(i => new DialTarget(LinkEndpoint.Tcp("127.0.0.1", i), null)).ToArray();
        var dialled = ork.Do(InputKind.Discovered, detail: targets);
        Assert.Equal(targets.Take(2), dialled.Select(seen => seen.Detail));
        var third = ork.Do(InputKind.DialFailed, detail: (targets[0], "refused"));
        Assert.Equal([targets[2]], third.Select(seen => seen.Detail));
        ork.Link(session: 1, target: targets[1]);
        Assert.Contains(ork.Pass(5_000), seen => Equals(seen.Detail, targets[0]));
        ork.Do(InputKind.LinkDown, 1, detail: targets[1]);
        ork.Do(InputKind.DialFailed, detail: (targets[0], "refused"));
        Assert.Contains(ork.Pass(5_000), seen => Equals(seen.Detail, targets[1]));
    }

    [Fact]
    public void Dials_that_lead_nowhere_keep_no_others_waiting_and_have_all_their_time()
    {
        var options = new LinkOptions { MaxDials = 2 };
        var ork = new CoreHarness(new KernelOptions { Links = options });
        var targets = Enumerable.Range(1, 6).Select(i => new DialTarget(LinkEndpoint.Tcp("127.0.0.1", i), null)).ToArray();
        var dialled = ork.Do(InputKind.Discovered, detail: targets).Select(seen => seen.Detail).ToList();
        for (var under = 2; under <= 4; under += 2)
        {
            Assert.Equal(targets.Take(under), dialled);
            Assert.Empty(ork.Pass(options.PatienceMs - 90));
            dialled.AddRange(ork.Pass(100).Select(seen => seen.Detail));
        }

        // What fails when it has no place any more gives none back.
        Assert.Empty(ork.Do(InputKind.DialFailed, detail: (targets[0], "no answer")));
        ork.Link(session: 1, target: targets[1]);
        Assert.Equal(targets, dialled);
        ork.Do(InputKind.DialFailed, detail: (targets[4], "refused"));
        Assert.Contains(ork.Pass(5_000), seen => Equals(seen.Detail, targets[4]));
    }

    [Fact]
    public void A_target_that_cannot_be_reached_again_and_again_is_told_of_once_until_it_serves()
    {
        DialTarget[] target = [new DialTarget(LinkEndpoint.Tcp("127.0.0.1", 1), null)];
        _ork.Do(InputKind.Discovered, detail: target);
        Assert.Equal([0, 0, 0, 0, 0, 1, 1], Enumerable.Range(0, 7).Select(_ => ToldAfterOneMore()));
        _ork.Register(target: target[0]);
        _ork.Do(InputKind.LinkDown, 1, detail: target[0]);
        Dialled();
        Assert.Equal([1, 1, 1, 1, 2, 2], Enumerable.Range(0, 6).Select(_ => ToldAfterOneMore()));

        int ToldAfterOneMore()
        {
            _ork.Do(InputKind.DialFailed, detail: (target[0], "refused"));
            Dialled();
            return _ork.Observer.Events.Count(told => told == KernelEvent.TargetUnreachable);
        }

        void Dialled()
        {
            while (!_ork.Pass(100).Any(seen => Equals(seen.Detail, target[0]))) Assert.InRange(_ork.NowMs, 0, 10 * new LinkOptions().RetryCapMs);
        }
    }

    [Fact]
    public void Pauses_between_the_dials_of_who_is_long_gone_grow_to_the_cap_and_begin_anew_once_it_serves()
    {
        const int Step = 100;
        var options = new LinkOptions();
        DialTarget[] target = [new DialTarget(LinkEndpoint.Tcp("127.0.0.1", 1), null)];
        _ork.Do(InputKind.Discovered, detail: target);
        var pauses = Enumerable.Range(0, 60).Select(_ => PauseMs()).ToArray();
        Assert.InRange(pauses[0], 1, options.RetryBaseMs + Step);
        Assert.InRange(pauses[10..].Max(), options.RetryCapMs / 2, options.RetryCapMs + Step);
        _ork.Register(target: target[0]);
        _ork.Do(InputKind.LinkDown, 1, detail: target[0]);
        Assert.InRange(UntilDialledMs(), 1, options.RetryBaseMs + Step);

        long PauseMs()
        {
            _ork.Do(InputKind.DialFailed, detail: (target[0], "refused"));
            return UntilDialledMs();
        }

        long UntilDialledMs()
        {
            var from = _ork.NowMs;
            while (!_ork.Pass(Step).Any(seen => Equals(seen.Detail, target[0]))) Assert.InRange(_ork.NowMs - from, 0, options.RetryCapMs + Step);
            return _ork.NowMs - from;
        }
    }

    [Fact]
    public void A_target_that_discovery_leaves_out_for_a_while_keeps_its_link_and_is_dialled_no_more_once_that_is_lost()
    {
        DialTarget[] target = [new DialTarget(LinkEndpoint.Tcp("127.0.0.1", 1), null)];
        Assert.Single(_ork.Do(InputKind.Discovered, detail: target), seen => Equals(seen.Detail, target[0]));
        _ork.Link(session: 1, target: target[0]);
        _ork.Do(InputKind.Discovered, detail: Array.Empty<DialTarget>());
        Assert.DoesNotContain(_ork.Do(InputKind.Discovered, detail: target).Concat(_ork.Pass(5_000)), seen => seen.Kind == EffectKind.Dial);
        _ork.Do(InputKind.Discovered, detail: Array.Empty<DialTarget>());
        _ork.Do(InputKind.LinkDown, 1, detail: target[0]);
        Assert.DoesNotContain(_ork.Pass(60_000), seen => seen.Kind == EffectKind.Dial);
        Assert.Single(_ork.Do(InputKind.Discovered, detail: target), seen => Equals(seen.Detail, target[0]));
    }

    [Fact]
    public void Two_targets_that_lead_to_one_Worker_are_dialled_less_and_less_often()
    {
        var targets = new[] { 1, 2 }.Select(port => new DialTarget(LinkEndpoint.Tcp("10.0.0.9", port), null)).ToArray();
        _ork.Do(InputKind.Discovered, detail: targets);
        const int rounds = 60;
        var session = 0L;
        var began = _ork.NowMs;
        DialTarget? linked = null;
        for (var round = 0; round < rounds; round++)
        {
            var next = round == 0 ? targets[0] : round == 1 ? targets[1] : Dialled();
            _ork.Register(++session, target: next);
            if (linked is not null) _ork.Do(InputKind.LinkDown, session - 1, detail: linked);
            linked = next;
        }

        Assert.InRange(_ork.NowMs - began, rounds * new LinkOptions().RetryCapMs / 6, long.MaxValue);

        DialTarget Dialled()
        {
            while (true)
            {
                if (_ork.Pass(100).FirstOrDefault(seen => seen.Kind == EffectKind.Dial) is { } dial) return (DialTarget)dial.Detail!;
            }
        }
    }

    [Fact]
    public void One_that_is_named_no_longer_while_it_waits_to_be_dialled_again_is_not()
    {
        _ork.Do(InputKind.Discovered, detail: Target);
        _ork.Do(InputKind.DialFailed, detail: (Target[0], "refused"));
        _ork.Do(InputKind.Discovered, detail: Array.Empty<DialTarget>());
        Assert.DoesNotContain(_ork.Pass(120_000), static seen => seen.Kind == EffectKind.Dial);
    }

    [Fact]
    public void One_that_is_named_no_longer_while_it_stands_in_line_for_a_place_is_not_dialled()
    {
        var ork = new CoreHarness(new KernelOptions { Links = new LinkOptions { MaxDials = 1 } });
        var targets = Enumerable.Range(1, 3).Select(static i => new DialTarget(LinkEndpoint.Tcp("127.0.0.1", i), null)).ToArray();
        ork.Do(InputKind.Discovered, detail: targets);
        ork.Do(InputKind.Discovered, detail: new[] { targets[0], targets[2] });
        Assert.Equal([targets[2]], ork.Do(InputKind.DialFailed, detail: (targets[0], "refused")).Select(static seen => seen.Detail));
    }

    [Fact]
    public void One_that_is_named_again_while_it_waits_keeps_its_pause()
    {
        _ork.Do(InputKind.Discovered, detail: Target);
        for (var failed = 0; failed < 8; failed++)
        {
            _ork.Do(InputKind.DialFailed, detail: (Target[0], "refused"));
            Assert.DoesNotContain(_ork.Do(InputKind.Discovered, detail: Target), static seen => seen.Kind == EffectKind.Dial);
            Assert.Single(_ork.Pass(2 * new LinkOptions().RetryCapMs), static seen => seen.Kind == EffectKind.Dial);
        }
    }

    [Fact]
    public void S12_one_that_was_reached_leaves_its_place_to_the_next()
    {
        var ork = new CoreHarness(new KernelOptions { Links = new LinkOptions { MaxDials = 1 } });
        var targets = Enumerable.Range(1, 2).Select(static i => new DialTarget(LinkEndpoint.Tcp("127.0.0.1", i), null)).ToArray();
        Assert.Equal([targets[0]], ork.Do(InputKind.Discovered, detail: targets).Select(static seen => seen.Detail));
        Assert.Contains(ork.Link(target: targets[0]), seen => Equals(seen.Detail, targets[1]));
    }
}
