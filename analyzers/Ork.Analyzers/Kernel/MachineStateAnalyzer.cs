using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Kernel;

/// <summary>
/// ORK0202: who but its machine writes a machine's state. A state is of a machine where its type is the state type of one; it is the machine's where it is handed to
/// <c>Fire</c> by reference, or, if the compilation has no such place for the type, wherever it is stored. Objects under construction are given their first state.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class MachineStateAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.ForeignWrite);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.ForeignWrite)) return;
            var writes = new Writes(roles);
            start.RegisterOperationAction(writes.Call, OperationKind.Invocation);
            start.RegisterOperationAction(writes.Creation, OperationKind.ObjectCreation);
            start.RegisterOperationAction(writes.Assignment, OperationKind.SimpleAssignment, OperationKind.CompoundAssignment,
                OperationKind.DeconstructionAssignment, OperationKind.Increment, OperationKind.Decrement);
            start.RegisterOperationAction(writes.Reference, OperationKind.Argument);
            start.RegisterSymbolAction(writes.Declared, SymbolKind.Field, SymbolKind.Parameter, SymbolKind.Property, SymbolKind.Method, SymbolKind.NamedType);
            start.RegisterCompilationEndAction(writes.End);
        });
    }

    private sealed class Writes(RoleReader roles)
    {
        private readonly ConcurrentDictionary<ITypeSymbol, byte> _states = new(SymbolEqualityComparer.Default);
        private readonly ConcurrentDictionary<ISymbol, byte> _places = new(SymbolEqualityComparer.Default);
        private readonly ConcurrentBag<(ISymbol Place, ITypeSymbol Type, Location At, ISymbol Container)> _writes = [];

        internal void Declared(SymbolAnalysisContext context)
        {
            switch (context.Symbol)
            {
                case IFieldSymbol field:
                    NoteMachine(field.Type);
                    break;
                case IPropertySymbol property:
                    NoteMachine(property.Type);
                    break;
                case IMethodSymbol method:
                    NoteMachine(method.ReturnType);
                    foreach (var parameter in method.Parameters) NoteMachine(parameter.Type);
                    break;
                case INamedTypeSymbol { BaseType: { } parent }:
                    NoteMachine(parent);
                    break;
            }
        }

        internal void Call(OperationAnalysisContext context)
        {
            var call = (IInvocationOperation)context.Operation;
            NoteMachine(call.TargetMethod.ContainingType);
            if (call.TargetMethod.Name != "Fire" || !Machines.Is(call.TargetMethod.ContainingType)) return;
            foreach (var argument in call.Arguments)
            {
                if (argument.Parameter?.RefKind == RefKind.Ref && PlaceOf(argument.Value) is { } place) _places.TryAdd(place, 0);
            }
        }

        /// <summary>A Stateless machine with external state is told where: what its accessor writes is its own.</summary>
        internal void Creation(OperationAnalysisContext context)
        {
            var creation = (IObjectCreationOperation)context.Operation;
            if (creation.Type is not INamedTypeSymbol type || !Machines.Is(type)) return;
            NoteMachine(type);
            foreach (var place in creation.Arguments.SelectMany(argument => argument.Value.Descendants()).OfType<ISimpleAssignmentOperation>()
                .Select(write => PlaceOf(write.Target)))
            {
                if (place is not null) _places.TryAdd(place, 0);
            }
        }

        internal void Assignment(OperationAnalysisContext context)
        {
            var targets = context.Operation switch
            {
                IDeconstructionAssignmentOperation { Target: ITupleOperation tuple } => tuple.Elements,
                IAssignmentOperation assignment => [assignment.Target],
                IIncrementOrDecrementOperation step => [step.Target],
                _ => [],
            };
            foreach (var target in targets)
            {
                if (target.Type is { TypeKind: TypeKind.Enum } type && PlaceOf(target) is { } place
                    && !IsFirst(context.Operation, target, context.ContainingSymbol) && !IsMachines(context.Operation))
                    _writes.Add((place, type, context.Operation.Syntax.GetLocation(), context.ContainingSymbol));
            }
        }

        /// <summary>To hand a state on by reference to anything but its machine is to let it be written.</summary>
        internal void Reference(OperationAnalysisContext context)
        {
            var argument = (IArgumentOperation)context.Operation;
            if (argument.Parameter is not { RefKind: RefKind.Ref or RefKind.Out } || argument.Value.Type is not { TypeKind: TypeKind.Enum } type) return;
            if (PlaceOf(argument.Value) is not { } place || place is IParameterSymbol) return;
            var callee = (argument.Parent as IInvocationOperation)?.TargetMethod;
            if (callee is null || Machines.Is(callee.ContainingType)
                || (callee.DeclaringSyntaxReferences.Length > 0 && argument.Parameter.RefKind == RefKind.Ref)) return;
            _writes.Add((place, type, argument.Syntax.GetLocation(), context.ContainingSymbol));
        }

        internal void End(CompilationAnalysisContext context)
        {
            var placed = new HashSet<ITypeSymbol>(_places.Keys.Select(TypeOf).OfType<ITypeSymbol>(), SymbolEqualityComparer.Default);
            foreach (var (place, type, at, container) in _writes)
            {
                if ((Rules.ForeignWrite.Roles & roles.Of(container)) == 0 || !IsState(type)) continue;

                // A reference stands for whatever it refers to.
                if (place is not (IParameterSymbol or ILocalSymbol) && placed.Contains(type) && !_places.ContainsKey(place)) continue;
                context.ReportDiagnostic(Diagnostic.Create(Rules.ForeignWrite.Descriptor, at, place.Name));
            }
        }

        private bool IsState(ITypeSymbol type) => _states.ContainsKey(type) || Machines.OfAssembly(type);

        private void NoteMachine(ITypeSymbol? type)
        {
            if (Machines.StateOf(type) is { } state) _states.TryAdd(state, 0);
        }

        private static ITypeSymbol? TypeOf(ISymbol place) => place switch
        {
            IFieldSymbol field => field.Type,
            IPropertySymbol property => property.Type,
            IParameterSymbol parameter => parameter.Type,
            ILocalSymbol local => local.Type,
            _ => null,
        };

        /// <summary>Where a write goes: a member, or what a reference stands for. Null for a local variable.</summary>
        private static ISymbol? PlaceOf(IOperation target) => Uses.Unwrap(target) switch
        {
            IFieldReferenceOperation field => field.Field.OriginalDefinition,
            IPropertyReferenceOperation property => property.Property.OriginalDefinition,
            IParameterReferenceOperation { Parameter: { RefKind: RefKind.Ref or RefKind.Out } parameter } => parameter,
            ILocalReferenceOperation { Local: { IsRef: true } local } => local,
            IArrayElementReferenceOperation element => PlaceOf(element.ArrayReference),
            IInvocationOperation { TargetMethod.ReturnsByRef: true } call => call.TargetMethod,
            _ => null,
        };

        /// <summary>An object's first state: in its initializer, its constructor, or where a member is declared.</summary>
        private static bool IsFirst(IOperation write, IOperation target, ISymbol container)
        {
            if (write.Parent is IObjectOrCollectionInitializerOperation { Parent: IObjectCreationOperation }) return true;
            var isOwn = Uses.Unwrap(target) is IMemberReferenceOperation { Instance: IInstanceReferenceOperation };
            return isOwn && container is IMethodSymbol { MethodKind: MethodKind.Constructor };
        }

        /// <summary>The accessor that a machine was given, and code of a machine itself.</summary>
        private static bool IsMachines(IOperation write)
        {
            for (var at = write.Parent; at is not null; at = at.Parent)
            {
                if (at is IObjectCreationOperation { Type: { } type } && Machines.Is(type)) return true;
            }

            return false;
        }
    }
}
