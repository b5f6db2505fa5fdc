// role: Kernel
using Ork;
using Ork.Kernel;
using Ork.Protocol;
enum S { A, B }
enum T { Go, Back }
sealed class Pump { internal S State; internal string Id = ""; }
//# reports: an effect and no record
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# reports: recorded on one of two branches
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, bool keep, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); if (keep) turn.Touch(command); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# reports: recorded in a loop that may not run
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, List<Command> all, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); foreach (var command in all) turn.Touch(command); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# reports: left before the record
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); if (pump.Id == "x") return; turn.Touch(command); } }
//# reports: through private helpers
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Turn turn) { Move(pump); Tell(turn); } void Move(Pump pump) => machine.Fire(ref pump.State, T.Go, pump.Id); static void Tell(Turn turn) => turn.AfterCommit.Close(1, ErrorCodes.LinkLost); }
//# reports: a helper that records only sometimes
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { Move(pump, command, turn); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } void Move(Pump pump, Command command, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); if (pump.State == S.B) turn.Touch(command); } }
//# reports: in a local function
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Turn turn) { Step(); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); void Step() => machine.Fire(ref pump.State, T.Go, pump.Id); } }
//# reports: in a lambda that a timer runs
class C(ModuleMachine<S, T> machine) { WheelTimer Go(Pump pump) => new(turn => { machine.Fire(ref pump.State, T.Go, pump.Id); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); }); }
//# reports: in one arm of a switch
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { switch (pump.State) { case S.A: machine.Fire(ref pump.State, T.Go, pump.Id); break; default: machine.Fire(ref pump.State, T.Back, pump.Id); turn.Touch(command); break; } turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# reports: an answer to a caller
class C(ModuleMachine<S, T> machine, Answers answers) { void Go(Pump pump, in CallerRef caller, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); answers.AfterCommit(turn, caller, default); } }
//# reports: the lane handed to somebody who sends
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); Send(turn.AfterCommit); } static void Send(EffectBatch lane) => lane.Close(1, ErrorCodes.LinkLost); }
//# reports: leaves at once, recorded or not
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); turn.Touch(command); turn.AtOnce.Close(1, ErrorCodes.LinkLost); } }
//# reports: leaves at once by a helper
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { Move(pump, command, turn); Tell(turn); } void Move(Pump pump, Command command, Turn turn) { if (machine.Fire(ref pump.State, T.Go, pump.Id)) turn.Touch(command); } static void Tell(Turn turn) => turn.AtOnce.Close(1, ErrorCodes.LinkLost); }
//# reports: the lane that does not wait, handed on after a transition
class C(ModuleMachine<S, T> machine, Exchanges exchanges) { void Go(Pump pump, Command command, WorkerLink link, IAnswerHandler handler, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); turn.Touch(command); exchanges.Send(link, OrkAction.CommandRequest, default, 5, handler, pump, turn.AtOnce, turn); } }
//# reports: through an interface
interface IMoves { void Move(Pump pump); }
class Moves(ModuleMachine<S, T> machine) : IMoves { public void Move(Pump pump) => machine.Fire(ref pump.State, T.Go, pump.Id); }
class C(IMoves moves) { void Go(Pump pump, Turn turn) { moves.Move(pump); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# silent: recorded
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); turn.Touch(command); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# silent: recorded after the effect, in the same turn
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { turn.AfterCommit.Close(1, ErrorCodes.LinkLost); machine.Fire(ref pump.State, T.Go, pump.Id); turn.Touch(command); } }
//# silent: recorded on both branches
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, bool device, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); if (device) turn.Records.Devices.Add(new DeviceRow("d", "w", default)); else turn.Touch(command); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# silent: only where the transition was made
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { if (!machine.Fire(ref pump.State, T.Go, pump.Id)) { turn.AfterCommit.Close(1, ErrorCodes.LinkLost); return; } turn.Touch(command); turn.AfterCommit.Close(2, ErrorCodes.LinkLost); } }
//# silent: the answer of Fire in a variable
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { var moved = machine.Fire(ref pump.State, T.Go, pump.Id); if (!moved) { turn.AfterCommit.Close(1, ErrorCodes.LinkLost); return; } turn.Touch(command); turn.AfterCommit.Close(2, ErrorCodes.LinkLost); } }
//# silent: recorded by a helper on all its paths
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); Save(command, turn); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } static void Save(Command command, Turn turn) { if (command.SentEver) turn.Touch(command); else turn.Records.ForgottenCommands.Add(1); } }
//# silent: recorded by the caller of the helper that has the effect
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { Move(pump, turn); turn.Touch(command); } private void Move(Pump pump, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# silent: a state that is not stored
[OrkTransient("found out by a ping")] enum H { Well, Ill }
class C(ModuleMachine<H, T> machine) { H _of; void Go(Turn turn) { machine.Fire(ref _of, T.Go, "x"); turn.AtOnce.Close(1, ErrorCodes.LinkLost); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# silent: an effect without a transition
class C { void Go(Turn turn) { turn.AtOnce.Close(1, ErrorCodes.LinkLost); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# silent: a transition without an effect
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Turn turn) => machine.Fire(ref pump.State, T.Go, turn.Number.ToString("D", null)); }
//# silent: an effect at once, and then a transition
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { turn.AtOnce.Close(1, ErrorCodes.LinkLost); machine.Fire(ref pump.State, T.Go, pump.Id); turn.Touch(command); } }
//# silent: at once on the other branch
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, bool refuse, Turn turn) { if (refuse) { turn.AtOnce.Close(1, ErrorCodes.LinkLost); return; } machine.Fire(ref pump.State, T.Go, pump.Id); turn.Touch(command); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# silent Simulation: not a kernel's code
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# silent: recorded in a finally
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { try { machine.Fire(ref pump.State, T.Go, pump.Id); } finally { turn.Touch(command); } turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# reports: recorded only where an exception is caught
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn, Action risky) { machine.Fire(ref pump.State, T.Go, pump.Id); try { risky(); } catch (InvalidOperationException) { turn.Touch(command); } turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# reports: by a generic helper that moves and an expression-bodied one that tells
class C(ModuleMachine<S, T> machine) { bool Move<TWhat>(TWhat of, Pump pump) => of is not null && machine.Fire(ref pump.State, T.Go, pump.Id); void Tell(Turn turn) => turn.AfterCommit.Dial(null!); void Go(Pump pump, Turn turn) { Move("x", pump); Tell(turn); } }
//# reports: in a partial class, a while loop and a break before the record
partial class C { void Go(Pump pump, Queue<Command> all, Turn turn) { Move(pump); while (all.TryDequeue(out var command)) { if (command.SentEver) break; turn.Touch(command); } turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
partial class C(ModuleMachine<S, T> machine) { private void Move(Pump pump) => machine.Fire(ref pump.State, T.Go, pump.Id); }
//# silent: a do loop that always records
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Queue<Command> all, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); do { turn.Touch(all.Dequeue()); } while (all.Count > 0); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
//# silent: every arm of a switch expression records
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command command, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); _ = pump.State switch { S.A => Save(command, turn), _ => Save(command, turn) }; turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } static bool Save(Command command, Turn turn) { turn.Touch(command); return true; } }
//# silent: throws where it does not record
class C(ModuleMachine<S, T> machine) { void Go(Pump pump, Command? command, Turn turn) { machine.Fire(ref pump.State, T.Go, pump.Id); if (command is null) throw new InvalidOperationException("x"); turn.Touch(command); turn.AfterCommit.Close(1, ErrorCodes.LinkLost); } }
