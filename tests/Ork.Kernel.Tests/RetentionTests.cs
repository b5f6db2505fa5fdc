namespace Ork.Kernel.Tests;

/// <summary>How long settled commands are kept, and with them the keys by which orders are safe to repeat (S2, S12, S15).</summary>
public sealed class RetentionTests
{
    [Fact]
    public void S12_settled_commands_are_kept_up_to_their_count_and_time_and_then_leave_the_store()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { MaxSettled = 3, RetentionMs = 60_000 }, Health = CommandTests.Patient, Schedule = CommandTests.Rare });
        ork.Register();
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(ork.Send());
            ork.Succeed(ork.LastCommand());
        }

        Assert.Equal("ERR_COMMAND_NOT_FOUND", ork.Status(ids[1]).GetProperty("error").GetString());
        Assert.Equal("SUCCESS", ork.StatusWord(ids[2]));
        Assert.Equal(3, ork.Disk.Commands.Count);
        ork.Pass(70_000);
        Assert.Empty(ork.Disk.Commands);
        Assert.Empty(ork.Disk.Log);
    }

    [Theory]
    [InlineData(30L * 3_600_000)]
    [InlineData(-30L * 3_600_000)]
    public void S15_a_settled_command_and_its_key_are_kept_by_the_time_that_passes_whatever_the_wall_clock_shows(long wallMs)
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { RetentionMs = 60_000 }, Health = CommandTests.Patient, Schedule = CommandTests.Rare });
        ork.Register();
        var id = ork.Send(extra: ",\"idempotencyKey\":\"k\"");
        ork.Succeed(ork.LastCommand());
        ork.WallMs = wallMs;
        ork.Pass(59_999);
        Assert.Equal(id, Again());
        ork.Pass(1);
        Assert.NotEqual(id, Again());

        string? Again() => ork.AskOne("command.request", """{"command":"reboot","idempotencyKey":"k"}""", "d1").GetProperty("commandId").GetString();
    }

    [Fact]
    public void S12_a_start_keeps_a_settled_command_no_longer_than_another_retention_though_the_wall_clock_was_set_back()
    {
        var ork = new CoreHarness(new KernelOptions { Commands = new CommandOptions { RetentionMs = 60_000 }, Health = CommandTests.Patient, Schedule = CommandTests.Rare });
        ork.Register();
        ork.Send();
        ork.Succeed(ork.LastCommand());
        ork.WallMs = -30L * 3_600_000;
        ork.Restart();
        ork.Pass(59_999);
        Assert.Single(ork.Disk.Commands);
        ork.Pass(1);
        Assert.Empty(ork.Disk.Commands);
    }
}
