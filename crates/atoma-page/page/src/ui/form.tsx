// Fields of forms.
import { useId } from 'preact/hooks';

interface FieldProps {
  label: string;
  value: string;
  set: (value: string) => void;
  hint?: string;
  type?: 'text' | 'date' | 'url';
  numeric?: boolean;
  required?: boolean;
  wrong?: string | undefined;
  placeholder?: string;
}

export function Field({ label, value, set, hint, type = 'text', numeric, required, wrong, placeholder }: FieldProps) {
  const id = useId();
  const note = wrong ?? hint;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        // The types of inputs have no common type.
        type={type as 'text'}
        inputMode={numeric ? 'numeric' : undefined}
        value={value}
        required={required}
        placeholder={placeholder}
        spellcheck={false}
        autocomplete="off"
        aria-invalid={wrong ? 'true' : undefined}
        aria-describedby={note ? `${id}-note` : undefined}
        onInput={({ currentTarget }) => set(currentTarget.value)}
      />
      {note ? (
        <p id={`${id}-note`} class={wrong ? 'bad-text' : 'quiet'}>
          {note}
        </p>
      ) : null}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  set: (value: T) => void;
}

export function Choice<T extends string>({ label, value, options, set }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => set(currentTarget.value as T)}>
        {options.map(([option, name]) => (
          <option key={option} value={option}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A few values next to each other, of which one is chosen. */
export function Switch<T extends string>({ label, value, options, set }: ChoiceProps<T>) {
  const id = useId();
  return (
    <fieldset class="switch">
      <legend class="visually-hidden">{label}</legend>
      {options.map(([option, name]) => (
        <label key={option}>
          <input type="radio" name={id} value={option} checked={option === value} onChange={() => set(option)} />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}
